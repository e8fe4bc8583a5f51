import { Resolver } from 'node:dns/promises';
import type { Dns, MailDns } from './port.ts';

/** A list of things that are only advice must not keep anybody waiting. */
const timeoutMs = 2_500;
const tries = 2;

/** Asks the name servers of the system unless others are named. */
export function createDns(nameServers?: readonly string[]): Dns & MailDns {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  if (nameServers !== undefined) resolver.setServers(nameServers);
  return {
    txt: async (name) => (await orNone(resolver.resolveTxt(name))).map((parts) => parts.join('')),
    mx: (name) => orNone(resolver.resolveMx(name)),
    addresses: async (name) =>
      (await Promise.all([orNone(resolver.resolve4(name)), orNone(resolver.resolve6(name))])).flat(),
  };
}

/** That there is none of it is an answer; that nobody answers is not. */
async function orNone<T>(records: Promise<T[]>): Promise<T[]> {
  try {
    return await records;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw error;
  }
}
