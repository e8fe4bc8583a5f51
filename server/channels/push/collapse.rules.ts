import { createHash } from 'node:crypto';

/**
 * Pure: a key under which a later notification replaces an earlier one, as the service can carry it: as it is where it fits,
 * else its digest. Cutting it off would make one key of two.
 */
export function collapseId(key: string, most: number): string {
  if (key.length <= most && /^[\w-]+$/.test(key)) return key;
  return createHash('sha256').update(key).digest('base64url').slice(0, most);
}
