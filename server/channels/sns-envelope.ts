import type { X509Certificate } from 'node:crypto';
import type { HttpClient } from '../platform/http-client.ts';
import type { Callback, ProviderDeps, Verdict } from './port.ts';
import {
  certificateUrl,
  confirmationUrl,
  isRecent,
  isSignedBy,
  parseEnvelope,
  readCertificate,
} from './sns-envelope.rules.ts';
import type { SnsEnvelope } from './sns-envelope.rules.ts';

/** What an account says about the topic its events come through. */
export interface SnsTrust {
  /** Anybody can have Amazon sign messages of a topic of his own: only this one is believed. */
  readonly topicArn: string | null;
  /** Of an account that is not at Amazon (the sandbox): certificates and confirmations are there. */
  readonly baseUrl: string | undefined;
}

const forged = (reason: string): Verdict => ({ kind: 'forged', reason });

/** Judges an envelope, and confirms the subscription when that is what it is about. */
export async function verifyEnvelope(
  callback: Callback,
  trust: SnsTrust,
  deps: Pick<ProviderDeps, 'clock' | 'http' | 'log'>,
): Promise<Verdict> {
  const envelope = parseEnvelope(callback.body);
  if (envelope === undefined) return forged('not an SNS message');
  if (trust.topicArn === null) return forged('the account names no topic');
  if (envelope.topicArn !== trust.topicArn) return forged('of another topic than the account’s');
  if (!isRecent(envelope.timestamp, deps.clock.now())) return forged('published too long ago');
  const address = certificateUrl(envelope, trust.baseUrl);
  if (address === undefined) return forged('the certificate is not at Amazon’s');
  const certificate = await findCertificate(address, deps.http);
  if (typeof certificate === 'string') {
    deps.log.warn({ certificate: address, why: certificate }, 'the certificate of an SNS message could not be had');
    // Not the caller's fault, perhaps: Amazon repeats after 5xx, and gives up after 401.
    return answer(503, 'not verified');
  }
  if (!isSignedBy(envelope, certificate, deps.clock.now())) return forged('the signature does not fit');
  switch (envelope.type) {
    case 'Notification':
      return { kind: 'genuine', once: envelope.messageId };
    case 'SubscriptionConfirmation':
      return confirm(envelope, trust, deps);
    case 'UnsubscribeConfirmation':
      deps.log.warn({ topicArn: envelope.topicArn }, 'the subscription to an SNS topic was ended; no more events come');
      return answer(200, 'noted');
  }
}

function answer(status: number, body: string): Verdict {
  return { kind: 'answer', status, contentType: 'text/plain; charset=utf-8', body };
}

async function confirm(
  envelope: SnsEnvelope,
  trust: SnsTrust,
  deps: Pick<ProviderDeps, 'http' | 'log'>,
): Promise<Verdict> {
  const url = confirmationUrl(envelope, trust.baseUrl);
  if (url === undefined) return forged('the confirmation leads elsewhere');
  const answered = await deps.http.call({ method: 'GET', url, timeoutMs: 10_000 });
  if (answered.kind === 'answer' && answered.status >= 200 && answered.status < 300) return answer(200, 'confirmed');
  const why = answered.kind === 'answer' ? { status: answered.status } : { code: answered.code };
  deps.log.warn({ topicArn: envelope.topicArn, ...why }, 'an SNS subscription could not be confirmed');
  // Amazon repeats the request.
  return answer(503, 'not confirmed');
}

/** Certificates change a few times a year. Kept per client, so that tests and servers in one process share none. */
const kept = new WeakMap<HttpClient, Map<string, X509Certificate>>();
const mostKept = 20;

async function findCertificate(url: string, http: HttpClient): Promise<X509Certificate | string> {
  const known = kept.get(http) ?? new Map<string, X509Certificate>();
  kept.set(http, known);
  const found = known.get(url);
  if (found !== undefined) return found;
  const answered = await http.call({ method: 'GET', url, timeoutMs: 10_000, maxAnswerBytes: 65_536 });
  if (answered.kind === 'failed') return answered.code;
  const certificate = answered.status === 200 ? readCertificate(answered.body.toString('latin1')) : undefined;
  if (certificate === undefined) return `status ${answered.status}`;
  const oldest = known.keys().next().value;
  if (known.size >= mostKept && oldest !== undefined) known.delete(oldest);
  known.set(url, certificate);
  return certificate;
}
