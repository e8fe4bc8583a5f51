import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import type { ProviderDeps, SendResult } from '../../port.ts';
import { failureResult, malformedResult, refusalResult, retryAfterMs } from '../../outcome.rules.ts';
import { fcmErrors } from './errors.rules.ts';
import type { ServiceAccount } from './settings.ts';

/** OAuth 2.0 for server to server applications (RFC 7523): a signed assertion is exchanged for an access token of an hour. */

export type TokenResult =
  { readonly ok: true; readonly token: string } | { readonly ok: false; readonly result: SendResult };

export interface AccessTokens {
  /** A token that is good for minutes yet; many callers share one request. */
  get(): Promise<TokenResult>;
  /** It was not accepted: the next call asks for another. */
  drop(token: string): void;
}

const scope = 'https://www.googleapis.com/auth/firebase.messaging';
/** Renewed before it ends, so that no message meets an expired one. */
const spareSeconds = 300;

/** `tokenUrl` is pinned by the caller; it is the assertion's audience, so one that is made for it is good for nothing elsewhere. */
export function createAccessTokens(
  account: ServiceAccount,
  tokenUrl: string,
  { clock, http }: Pick<ProviderDeps, 'clock' | 'http'>,
): AccessTokens {
  const key = createPrivateKey(account.privateKey);
  let known: { token: string; until: Temporal.Instant } | undefined;
  let asking: Promise<TokenResult> | undefined;

  const assertion = async () => {
    const now = Math.floor(clock.now().epochMilliseconds / 1000);
    return new SignJWT({ scope })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(account.keyId === undefined ? {} : { kid: account.keyId }) })
      .setIssuer(account.clientEmail)
      .setAudience(tokenUrl)
      .setIssuedAt(now)
      .setExpirationTime(now + 3600)
      .sign(key);
  };

  const ask = async (): Promise<TokenResult> => {
    const body = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: await assertion(),
    }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    const answer = await http.call({ method: 'POST', url: tokenUrl, headers, body, timeoutMs: 15_000 });
    // Asking for a token hands over no message: whatever became of it, the message may be tried again.
    if (answer.kind === 'failed') return { ok: false, result: failureResult({ ...answer, mayHaveArrived: false }) };
    const read = readToken(answer.body.toString('utf8'));
    if (answer.status === 200 && read?.token !== undefined) {
      const seconds = Math.max(read.seconds - spareSeconds, 30);
      known = { token: read.token, until: clock.now().add({ seconds }) };
      return { ok: true, token: read.token };
    }
    const afterMs = retryAfterMs(answer.headers, clock.now());
    const wait = afterMs === undefined ? {} : { afterMs };
    const result =
      read?.error === undefined
        ? malformedResult(answer.status, 'the answer of the token server makes no sense')
        : refusalResult(fcmErrors, { code: read.error, reason: read.reason, status: answer.status, ...wait });
    return { ok: false, result: withoutDoubt(result) };
  };

  return {
    get: () => {
      if (known !== undefined && Temporal.Instant.compare(clock.now(), known.until) < 0)
        return Promise.resolve({ ok: true, token: known.token });
      asking ??= ask().finally(() => (asking = undefined));
      return asking;
    },
    drop: (token) => {
      if (known?.token === token) known = undefined;
    },
  };
}

function withoutDoubt(result: SendResult): SendResult {
  if (result.kind !== 'unknown') return result;
  return { kind: 'retry', category: 'provider-down', code: result.code, reason: result.cause };
}

function readToken(body: string): { token?: string; seconds: number; error?: string; reason: string } | undefined {
  try {
    const given: unknown = JSON.parse(body);
    if (typeof given !== 'object' || given === null) return undefined;
    const { access_token, expires_in, error, error_description } = given as Record<string, unknown>;
    return {
      ...(typeof access_token === 'string' && access_token !== '' ? { token: access_token } : {}),
      ...(typeof error === 'string' ? { error } : {}),
      seconds: typeof expires_in === 'number' ? expires_in : 3600,
      reason: typeof error_description === 'string' ? error_description : '',
    };
  } catch {
    return undefined;
  }
}
