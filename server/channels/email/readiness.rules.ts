import { isIP } from 'node:net';
import { reachOf } from '../../platform/network.rules.ts';
import type { ReadinessItem } from '../port.ts';

/** What a mailbox provider would object to, judged from facts that were looked up elsewhere. */

/** What the account itself does about signing, and where it hands over. */
export interface Signing {
  readonly host: string;
  readonly dkim: { readonly domain: string; readonly selector: string; readonly publicKey: string } | undefined;
}

/** TXT records of one name; undefined: the DNS did not answer. */
export type Txt = readonly string[] | undefined;

type Judged = Pick<ReadinessItem, 'state' | 'detail' | 'fix'>;

const ok = (detail: string): Judged => ({ state: 'ok', detail, fix: null });
const warning = (detail: string, fix: string): Judged => ({ state: 'warning', detail, fix });
const unknown = (name: string): Judged => ({
  state: 'unknown',
  detail: `The DNS did not answer for ${name}.`,
  fix: 'Look again in a while.',
});

function localHost(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost') || host.endsWith('.local') || host.endsWith('.internal'))
    return true;
  const bare = host.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? !host.includes('.') : reachOf(bare) !== 'open';
}

/** Links in a message must lead somewhere for its reader. */
export function originItem(publicOrigin: string, host: string): ReadinessItem {
  return { key: 'public-https-origin', title: 'Public HTTPS address', ...judgeOrigin(publicOrigin, host) };
}

function judgeOrigin(publicOrigin: string, host: string): Judged {
  const url = new URL(publicOrigin);
  const fix = 'Set PARLEY_URL to the https address under which recipients reach this server.';
  if (url.protocol === 'https:' && !localHost(url.hostname)) return ok(`Links lead to ${url.origin}.`);
  const detail = `Links in messages lead to ${url.origin}, which recipients cannot open safely from outside.`;
  // Handing over to a server next door is how one tries things out; out in the world every link would be dead.
  return localHost(url.hostname) && !localHost(host) ? { state: 'problem', detail, fix } : warning(detail, fix);
}

export function oneClickItem(publicOrigin: string): ReadinessItem {
  const judged = publicOrigin.startsWith('https:')
    ? ok('Every marketing message carries the one-click header (RFC 8058) with an https link.')
    : warning(
        'The one-click header needs an https link (RFC 8058); Gmail and Yahoo want it from senders in bulk.',
        'Set PARLEY_URL to an https address.',
      );
  return { key: 'one-click-unsubscribe', title: 'One-click unsubscribe', ...judged };
}

export function senderItem(from: { address: string } | undefined): ReadinessItem {
  const judged: Judged =
    from === undefined
      ? {
          state: 'problem',
          detail: 'The account has no From address.',
          fix: 'Give the account a sender, or each campaign its own.',
        }
      : ok('The account has a From address.');
  return { key: 'sender', title: 'Sender', ...judged };
}

export function postalItem(postalAddress: string | undefined): ReadinessItem {
  const judged =
    postalAddress === undefined || postalAddress.trim() === ''
      ? warning(
          'Marketing mail must name a postal address in many countries (US CAN-SPAM, CA CASL).',
          'Write it into the settings of the workspace.',
        )
      : ok('The workspace has a postal address.');
  return { key: 'postal-address', title: 'Postal address', ...judged };
}

export function spfItem(domain: string, records: Txt): ReadinessItem {
  return { key: 'spf', title: 'SPF', ...judgeSpf(domain, records) };
}

function judgeSpf(domain: string, records: Txt): Judged {
  if (records === undefined) return unknown(domain);
  const found = records.filter((record) => /^v=spf1(?: |$)/i.test(record));
  const [first] = found;
  if (first === undefined)
    return warning(
      `${domain} has no SPF record.`,
      `Publish a TXT record at ${domain} that names the servers which send for it, such as "v=spf1 include:your-provider.example -all".`,
    );
  if (found.length > 1)
    return warning(
      `${domain} has ${found.length} SPF records; receivers then treat it as having none (RFC 7208, 3.2).`,
      'Merge them into one.',
    );
  if (/(?:^| )\+?all\b/i.test(first))
    return warning(`The SPF record of ${domain} lets anybody send for it.`, 'End it with "-all" or "~all".');
  return ok(`${domain} publishes ${first.slice(0, 200)}`);
}

export function dkimItem(fromDomain: string, signing: Signing, records: Txt): ReadinessItem {
  return { key: 'dkim', title: 'DKIM', ...judgeDkim(fromDomain, signing, records) };
}

function judgeDkim(fromDomain: string, { dkim }: Signing, records: Txt): Judged {
  if (dkim === undefined) {
    return warning(
      'Parley does not sign for this account. If the mail server does not sign either, or leaves List-Unsubscribe and List-Unsubscribe-Post out, one-click is not honoured (RFC 8058, 4).',
      'Give the account a DKIM key, or make sure that the mail server signs these headers.',
    );
  }
  const name = `${dkim.selector}._domainkey.${dkim.domain}`;
  if (records === undefined) return unknown(name);
  const published = records
    .map((record) => /(?:^|;)\s*p=([A-Za-z0-9+/=\s]*)/.exec(record)?.[1]?.replace(/\s/g, ''))
    .find((key) => key !== undefined);
  if (published === undefined)
    return warning(
      `There is no DKIM key at ${name}.`,
      `Publish a TXT record at ${name}: "v=DKIM1; p=${dkim.publicKey}".`,
    );
  if (published !== dkim.publicKey)
    return warning(
      `The key at ${name} is not that of this account: signatures will fail.`,
      `Publish "v=DKIM1; p=${dkim.publicKey}" there.`,
    );
  if (!aligned(fromDomain, dkim.domain)) {
    return warning(
      `Signatures are by ${dkim.domain}, the sender is at ${fromDomain}: DMARC does not count them.`,
      `Sign with ${fromDomain} or a domain above it.`,
    );
  }
  return ok(`Signed by ${dkim.domain}, with List-Unsubscribe and List-Unsubscribe-Post covered.`);
}

/** Relaxed alignment (RFC 7489, 3.1.1), short of the public suffix list: the same domain, or one above the other. */
function aligned(a: string, b: string): boolean {
  return a === b || a.endsWith(`.${b}`) || b.endsWith(`.${a}`);
}

/** The names where the policy of a domain may stand, nearest first; receivers fall back to the organisation's. */
export function dmarcNames(domain: string): string[] {
  const labels = domain.split('.');
  const names: string[] = [];
  for (let from = 0; from <= Math.max(0, labels.length - 2) && from < 4; from++)
    names.push(`_dmarc.${labels.slice(from).join('.')}`);
  return names;
}

export function dmarcItem(domain: string, records: Txt): ReadinessItem {
  return { key: 'dmarc', title: 'DMARC', ...judgeDmarc(domain, records) };
}

function judgeDmarc(domain: string, records: Txt): Judged {
  if (records === undefined) return unknown(`_dmarc.${domain}`);
  const record = records.find((one) => /^v=DMARC1\s*;/i.test(one));
  const policy = /;\s*p=\s*(none|quarantine|reject)/i.exec(record ?? '')?.[1]?.toLowerCase();
  if (policy === undefined)
    return warning(
      `${domain} has no DMARC policy; Gmail and Yahoo want one from senders in bulk.`,
      `Publish a TXT record at _dmarc.${domain}: "v=DMARC1; p=none; rua=mailto:you@${domain}".`,
    );
  return ok(`The policy of ${domain} is ${policy}.`);
}

/** What a vendor wants to stand in the DNS. */
export interface VendorDns {
  readonly name: string;
  readonly host: string;
  /** That signs and is the return path, where the account has one of its own; else that of the sender. */
  readonly domain?: string;
  /** Names its keys may have; none: they are random and the DNS cannot be searched for them. */
  readonly dkimSelectors: readonly string[];
  readonly spfInclude: string;
  /** The return path, where it is a domain of one's own beside that. */
  readonly spfDomain?: string;
  /** The return path is a name of the vendor's own choosing, so that the domain itself needs no SPF for it. */
  readonly spfIsOptional: boolean;
  readonly fix: string;
}

export function vendorSpfItem(domain: string, vendor: VendorDns, records: Txt): ReadinessItem {
  const item = spfItem(domain, records);
  const names = (records ?? []).some(
    (record) => /^v=spf1 /i.test(record) && record.toLowerCase().includes(`include:${vendor.spfInclude}`),
  );
  if (names || item.state === 'unknown') return item;
  const isWrong = item.state === 'warning' && (records ?? []).some((record) => /^v=spf1(?: |$)/i.test(record));
  if (isWrong) return item;
  const judged = vendor.spfIsOptional
    ? ok(`${vendor.name} sends with a return path of its own below ${domain}, which carries the SPF.`)
    : warning(`The SPF record of ${domain} does not name ${vendor.name} (include:${vendor.spfInclude}).`, vendor.fix);
  return { ...item, ...judged };
}

export function vendorDkimItem(
  fromDomain: string,
  vendor: VendorDns,
  keys: readonly { readonly name: string; readonly records: Txt }[],
): ReadinessItem {
  return { key: 'dkim', title: 'DKIM', ...judgeVendorDkim(fromDomain, vendor, keys) };
}

function judgeVendorDkim(
  fromDomain: string,
  vendor: VendorDns,
  keys: readonly { readonly name: string; readonly records: Txt }[],
): Judged {
  if (vendor.domain !== undefined && !aligned(fromDomain, vendor.domain)) {
    return warning(
      `Signatures are by ${vendor.domain}, the sender is at ${fromDomain}: DMARC does not count them.`,
      `Send from ${vendor.domain} or a domain below it.`,
    );
  }
  const [first] = keys;
  if (first === undefined) {
    const detail = `${vendor.name} gives its keys random names, so the DNS alone cannot show them.`;
    return { state: 'unknown', detail, fix: vendor.fix };
  }
  const found = keys.find(({ records }) => records?.some((record) => /(?:^|;)\s*p=[A-Za-z0-9+/]/.test(record)));
  if (found !== undefined) return ok(`${vendor.name} signs with the key at ${found.name}.`);
  if (keys.some(({ records }) => records === undefined)) return unknown(first.name);
  return warning(`There is no DKIM key of ${vendor.name} for ${vendor.domain ?? fromDomain}.`, vendor.fix);
}
