import { Resolver } from 'node:dns/promises';
import type { Dns } from './port.ts';

/** A list of things that are only advice must not keep anybody waiting. */
const timeoutMs = 2_500;
const tries = 2;

/** Asks the name servers of the system unless others are named. */
export function createDns(nameServers?: readonly string[]): Dns {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  if (nameServers !== undefined) resolver.setServers(nameServers);
  return {
    txt: async (name) => {
      try {
        const records = await resolver.resolveTxt(name);
        return records.map((parts) => parts.join(''));
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : '';
        if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
        throw error;
      }
    },
  };
}
