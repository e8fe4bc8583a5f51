import type { Dns, ReadinessFacts, ReadinessItem } from '../port.ts';
import { asciiDomain } from './header.rules.ts';
import {
  dkimItem,
  dmarcItem,
  dmarcNames,
  oneClickItem,
  originItem,
  postalItem,
  senderItem,
  spfItem,
  vendorDkimItem,
  vendorSpfItem,
} from './readiness.rules.ts';
import type { Signing, Txt, VendorDns } from './readiness.rules.ts';

/** Looks up what the judgement needs, all at once: each look-up has its own time-out. */
export async function emailReadiness(signing: Signing, facts: ReadinessFacts): Promise<readonly ReadinessItem[]> {
  const { from, publicOrigin, dns } = facts;
  const items = [
    senderItem(from),
    originItem(publicOrigin, signing.host),
    oneClickItem(publicOrigin),
    postalItem(facts.postalAddress),
  ];
  const domain = from === undefined ? undefined : asciiDomain(from.address.slice(from.address.lastIndexOf('@') + 1));
  if (domain === undefined) return items;
  const keyName = signing.dkim === undefined ? undefined : `${signing.dkim.selector}._domainkey.${signing.dkim.domain}`;
  const [spf, dkim, dmarc] = await Promise.all([
    look(dns, domain),
    keyName === undefined ? undefined : look(dns, keyName),
    firstPolicy(dns, domain),
  ]);
  return [...items, spfItem(domain, spf), dkimItem(domain, signing, dkim), dmarcItem(domain, dmarc)];
}

/** Of vendors that sign for us: their keys and servers stand in the sender's DNS under names of their own. */
export async function mailReadiness(vendor: VendorDns, facts: ReadinessFacts): Promise<readonly ReadinessItem[]> {
  const { from, publicOrigin, dns } = facts;
  const items = [
    senderItem(from),
    originItem(publicOrigin, vendor.host),
    oneClickItem(publicOrigin),
    postalItem(facts.postalAddress),
  ];
  const domain = from === undefined ? undefined : asciiDomain(from.address.slice(from.address.lastIndexOf('@') + 1));
  if (domain === undefined) return items;
  const signer = vendor.domain ?? domain;
  const returnPath = vendor.spfDomain ?? signer;
  const names = vendor.dkimSelectors.map((selector) => `${selector}._domainkey.${signer}`);
  const [spf, keys, dmarc] = await Promise.all([
    look(dns, returnPath),
    Promise.all(names.map(async (name) => ({ name, records: await look(dns, name) }))),
    firstPolicy(dns, domain),
  ]);
  return [
    ...items,
    vendorSpfItem(returnPath, vendor, spf),
    vendorDkimItem(domain, vendor, keys),
    dmarcItem(domain, dmarc),
  ];
}

async function look(dns: Dns, name: string): Promise<Txt> {
  try {
    return await dns.txt(name);
  } catch {
    // No answer is a state of its own, shown as such.
    return undefined;
  }
}

async function firstPolicy(dns: Dns, domain: string): Promise<Txt> {
  for (const name of dmarcNames(domain)) {
    const found = await look(dns, name);
    if (found === undefined) return undefined;
    const policies = found.filter((record) => /^v=DMARC1/i.test(record));
    if (policies.length > 0) return policies;
  }
  return [];
}
