import type { Clock } from '../../platform/clock.ts';
import type { MailDns } from '../port.ts';
import { asciiDomain } from './header.rules.ts';

/** `no`: mail to this domain goes nowhere, by its own word or for want of a server. `unknown`: the DNS did not answer. */
export type TakesMail = 'yes' | 'no' | 'unknown';

export interface MailRoute {
  readonly takesMail: TakesMail;
  readonly detail: string;
}

export interface MailRouteDeps {
  readonly dns: MailDns;
  readonly clock: Clock;
}

const answerMs = 3_600_000;
/** Silence may be over in a moment. */
const silenceMs = 60_000;
const mostKept = 10_000;

interface Kept {
  readonly route: Promise<MailRoute>;
  until: number;
}

/** Whether a domain takes mail (RFC 5321, 5.1, and RFC 7505), as the DNS says; answers are kept for an hour. */
export function createMailRoutes({ dns, clock }: MailRouteDeps): (domain: string) => Promise<MailRoute> {
  const kept = new Map<string, Kept>();
  return async (domain) => {
    const name = asciiDomain(domain);
    if (name === undefined) return { takesMail: 'no', detail: 'This is not a domain.' };
    const now = clock.now().epochMilliseconds;
    const known = kept.get(name);
    if (known !== undefined && known.until > now) return known.route;
    // Who asks while the answer is on its way waits for the same one.
    const entry: Kept = { route: lookUp(dns, name), until: now + answerMs };
    kept.delete(name);
    kept.set(name, entry);
    const oldest = kept.keys().next().value;
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
    const route = await entry.route;
    if (route.takesMail === 'unknown') entry.until = Math.min(entry.until, clock.now().epochMilliseconds + silenceMs);
    return route;
  };
}

async function lookUp(dns: MailDns, name: string): Promise<MailRoute> {
  try {
    const records = await dns.mx(name);
    if (records.length > 0) return judge(name, records);
    const addresses = await dns.addresses(name);
    if (addresses.length > 0)
      return { takesMail: 'yes', detail: `${name} has no MX record, but an address of its own, which counts as one.` };
    return { takesMail: 'no', detail: `${name} has neither an MX record nor an address.` };
  } catch {
    // No answer says nothing about the domain.
    return { takesMail: 'unknown', detail: `The DNS did not answer for ${name}.` };
  }
}

/** A null MX (RFC 7505): the root as the only exchange. */
function judge(name: string, records: readonly { readonly exchange: string; readonly priority: number }[]): MailRoute {
  const real = records.filter(({ exchange }) => exchange !== '' && exchange !== '.');
  if (real.length === 0) return { takesMail: 'no', detail: `${name} says that it takes no mail (null MX).` };
  const first = real.toSorted((a, b) => a.priority - b.priority)[0]?.exchange ?? '';
  return { takesMail: 'yes', detail: `${name} takes mail at ${first}.` };
}
