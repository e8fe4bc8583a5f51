import { SignJWT, errors, jwtVerify } from 'jose';
import { permissions as allPermissions } from '../../contract/permissions.ts';
import type { Permission } from '../../contract/permissions.ts';
import type { Clock } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';

/**
 * Short-lived JWTs (HS256 under a key of this installation: we alone make and read them). A token names the key or session
 * it was made from, which is looked at again with each use, so revoking that ends the token too; it can only narrow.
 */
export interface TokenClaims {
  readonly workspaceId: string;
  readonly madeFrom: 'key' | 'session';
  /** Id of that key or session. */
  readonly sourceId: string;
  readonly scopes: readonly Permission[];
}

export interface Tokens {
  issue(claims: TokenClaims, seconds: number): Promise<{ token: string; expiresAt: Temporal.Instant }>;
  /** Throws `auth/invalid-token` or `auth/token-expired`. */
  read(token: string): Promise<TokenClaims & { readonly expiresAt: Temporal.Instant }>;
}

const issuer = 'parley';
const audience = 'parley-api';

/** Three base64url parts, the first a JSON object: no API key looks like it. */
export function looksLikeToken(bearer: string): boolean {
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(bearer);
}

export function createTokens({ key, clock }: { readonly key: Buffer; readonly clock: Clock }): Tokens {
  const now = () => new Date(clock.now().epochMilliseconds);
  return {
    issue: async (claims, seconds) => {
      const issuedAt = Math.floor(clock.now().epochMilliseconds / 1000);
      const token = await new SignJWT({ wid: claims.workspaceId, src: claims.madeFrom, scp: claims.scopes })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setSubject(claims.sourceId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + seconds)
        .sign(key);
      return { token, expiresAt: Temporal.Instant.fromEpochMilliseconds((issuedAt + seconds) * 1000) };
    },

    read: async (token) => {
      try {
        const options = { algorithms: ['HS256'], issuer, audience, currentDate: now(), requiredClaims: ['sub', 'exp'] };
        const { payload } = await jwtVerify(token, key, options);
        const claims = toClaims(payload);
        if (claims !== undefined) return claims;
      } catch (error) {
        if (error instanceof errors.JWTExpired)
          throw refusal('auth/token-expired', 'This token has expired. Get a new one.');
        if (!(error instanceof errors.JOSEError)) throw error;
      }
      throw refusal('auth/invalid-token', 'This token is not one of ours, or was changed.');
    },
  };
}

function toClaims({ sub, wid, src, scp, exp }: Record<string, unknown>) {
  if (typeof sub !== 'string' || !isId(sub) || typeof wid !== 'string' || !isId(wid) || !Array.isArray(scp))
    return undefined;
  if ((src !== 'key' && src !== 'session') || typeof exp !== 'number') return undefined;
  const wanted = new Set<unknown>(scp);
  const scopes = allPermissions.filter((one) => wanted.has(one));
  const expiresAt = Temporal.Instant.fromEpochMilliseconds(exp * 1000);
  return { workspaceId: wid, madeFrom: src, sourceId: sub, scopes, expiresAt } as const;
}

/** A 401 that says, as RFC 6750 asks, that the credential is the trouble. */
export function refusal(code: string, detail: string): AppError {
  return new AppError(code, detail, { headers: { 'www-authenticate': 'Bearer error="invalid_token"' } });
}
