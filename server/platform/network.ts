import { lookup as lookupHost } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock } from './clock.ts';
import { AppError, defineErrors } from './errors.ts';
import { permittedAddresses } from './network.rules.ts';

/**
 * Guards connections to hosts that people type in against server-side request forgery: a name is resolved once, every
 * address is judged, and the caller connects to the judged address, so that a second look-up cannot answer otherwise.
 */

defineErrors({
  'network/forbidden': { status: 422, title: 'This host may not be connected to' },
  'network/not-resolved': { status: 422, title: 'This host name has no address' },
});

export interface HostResolverDeps {
  readonly allowPrivateNetworks: boolean;
  readonly clock: Clock;
  /** All addresses of a name; tests answer from a table. */
  readonly lookup?: (host: string) => Promise<readonly string[]>;
}

const lookupMs = 10_000;

async function systemLookup(host: string): Promise<readonly string[]> {
  const found = await lookupHost(host, { all: true, verbatim: true });
  return found.map((one) => one.address);
}

/** The addresses of a host that may be connected to; throws `network/forbidden` or `network/not-resolved`. */
export function createHostResolver(
  deps: HostResolverDeps,
): (host: string, signal?: AbortSignal) => Promise<readonly string[]> {
  const lookup = deps.lookup ?? systemLookup;
  return async (host, signal) => {
    const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
    const addresses = isIP(bare) === 0 ? await within(deps.clock, lookup(bare), signal) : [bare];
    const permitted = permittedAddresses(addresses, deps.allowPrivateNetworks);
    if (permitted.length > 0) return permitted;
    if (addresses.length === 0) throw new AppError('network/not-resolved', 'The host name has no address.');
    throw new AppError(
      'network/forbidden',
      'The host is in a private or reserved network. The operator can allow that with PARLEY_ALLOW_PRIVATE_NETWORKS.',
    );
  };
}

async function within(
  clock: Clock,
  found: Promise<readonly string[]>,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const late = new AbortController();
  const giveUp = () => late.abort();
  signal?.addEventListener('abort', giveUp, { once: true });
  const nothing: readonly string[] = [];
  try {
    return await Promise.race([found.catch(() => nothing), clock.sleep(lookupMs, late.signal).then(() => nothing)]);
  } finally {
    late.abort();
    signal?.removeEventListener('abort', giveUp);
  }
}
