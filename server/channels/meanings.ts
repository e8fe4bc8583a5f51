import type { ErrorTable, VendorError } from './port.ts';
import { findProvider } from './registry.ts';

/** What a code of a vendor means: looked up whole, else (SMTP, RFC 3463) by its class and subject, else by its first digit. */
export function meaningOf(kind: string | null, code: string | null): VendorError | undefined {
  if (kind === null || code === null) return undefined;
  const table = findProvider(kind)?.errors;
  if (table === undefined) return undefined;
  const shorter = /^[245]\.\d+/.exec(code)?.[0];
  const first = /^[245](?:$|\d\d$|\.)/.test(code) ? code.slice(0, 1) : undefined;
  for (const key of [code, shorter, first]) if (key !== undefined && Object.hasOwn(table, key)) return table[key];
  return undefined;
}

/** Of a kind of provider; undefined: there is no such kind. */
export function errorTableOf(kind: string): ErrorTable | undefined {
  return findProvider(kind)?.errors;
}
