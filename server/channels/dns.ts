import { Resolver } from 'node:dns/promises';
import type { Dns } from './port.ts';

/** A list of things that are only advice must not keep anybody waiting. */
const timeoutMs = 2_500;
const tries = 2;

export function createDns(): Dns {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
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
