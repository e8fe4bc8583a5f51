import { randomBytes } from 'node:crypto';
import type { Permission } from '../../contract/permissions.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, notFound } from '../platform/errors.ts';
import type { Caller } from '../platform/http.ts';
import type { Audit, AuditOrigin } from './audit.ts';
import { sha256 } from './callers.ts';
import type { Callers } from './callers.ts';
import * as store from './keys.store.ts';
import { missing } from './roles.rules.ts';

export interface KeyRequest {
  readonly name: string;
  readonly scopes: readonly Permission[];
  readonly expiresAt: Temporal.Instant | null;
}

export interface ApiKeys {
  /** The secret is answered here and never again. */
  create(
    tx: Tx,
    caller: Caller,
    origin: AuditOrigin,
    id: string,
    request: KeyRequest,
  ): Promise<{ key: store.KeyRow; secret: string }>;
  list(tx: Tx, beforeId: string | undefined, most: number): Promise<store.KeyRow[]>;
  revoke(tx: Tx, origin: AuditOrigin, id: string): Promise<void>;
}

const secretBytes = 32;
const shownCharacters = 12;

export interface KeyDeps {
  readonly audit: Audit;
  readonly clock: Clock;
  readonly forget: Callers['forget'];
}

export function createApiKeys({ audit, clock, forget }: KeyDeps): ApiKeys {
  return {
    create: async (tx, caller, origin, id, { name, scopes, expiresAt }) => {
      const lacking = missing(caller.permissions, scopes);
      if (lacking.length > 0) throw new AppError('keys/more-than-own', `You do not have: ${lacking.join(', ')}.`);
      const now = clock.now();
      if (expiresAt !== null && Temporal.Instant.compare(expiresAt, now) <= 0)
        throw new AppError('keys/expired-already', 'Choose a time in the future.', {
          errors: [{ pointer: '/expiresAt', message: 'must lie in the future' }],
        });
      const secret = `parley_${randomBytes(secretBytes).toString('base64url')}`;
      const key = await insert(tx, secret, { id, name, scopes, createdBy: caller.name, createdAt: now, expiresAt });
      await audit.record(tx, {
        ...origin,
        action: 'api-key.created',
        target: { kind: 'api-key', id },
        after: { name, prefix: key.prefix, scopes, expiresAt },
      });
      return { key, secret };
    },

    list: (tx, beforeId, most) => store.listKeys(tx, clock.now(), beforeId, most),

    revoke: async (tx, origin, id) => {
      const revoked = await store.revokeKey(tx, id, clock.now());
      if (revoked === undefined) throw notFound('API key');
      await audit.record(tx, {
        ...origin,
        action: 'api-key.revoked',
        target: { kind: 'api-key', id },
        before: revoked,
      });
      tx.afterCommit(() => forget(id));
    },
  };
}

/** Stores a key: of its secret the hash, and the first characters to tell it apart by. */
export async function insert(
  tx: Tx,
  secret: string,
  key: Omit<store.NewKey, 'hash' | 'prefix' | 'scopes'> & { readonly scopes: readonly Permission[] },
): Promise<store.KeyRow> {
  const prefix = secret.slice(0, shownCharacters);
  await store.insertKey(tx, { ...key, prefix, hash: sha256(secret) });
  return { ...key, scopes: [...key.scopes], prefix, lastUsedAt: null };
}
