import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Clock } from '../../../platform/clock.ts';

/** Signs an account in (Apple: Establishing a token-based connection to APNs). */
export interface ProviderTokens {
  get(): Promise<string>;
  /** APNs calls it expired: true when another may be made. */
  renew(token: string): boolean;
}

/** APNs takes a token for an hour, and objects to new ones within 20 minutes. */
const oldMinutes = 45;
const youngMinutes = 20;

export function createProviderTokens(
  { teamId, keyId, privateKey }: { teamId: string; keyId: string; privateKey: string },
  clock: Clock,
): ProviderTokens {
  const key = createPrivateKey(privateKey);
  let known: { token: string; at: Temporal.Instant } | undefined;
  let signing: Promise<string> | undefined;

  const isOlderThan = (minutes: number) =>
    known === undefined || Temporal.Instant.compare(known.at.add({ minutes }), clock.now()) <= 0;

  const sign = async () => {
    const at = clock.now();
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .setIssuer(teamId)
      .setIssuedAt(Math.floor(at.epochMilliseconds / 1000))
      .sign(key);
    known = { token, at };
    return token;
  };

  return {
    get: () => {
      if (known !== undefined && !isOlderThan(oldMinutes)) return Promise.resolve(known.token);
      signing ??= sign().finally(() => (signing = undefined));
      return signing;
    },
    renew: (token) => {
      // Somebody else has already made another.
      if (known?.token !== token) return true;
      if (!isOlderThan(youngMinutes)) return false;
      known = undefined;
      return true;
    },
  };
}
