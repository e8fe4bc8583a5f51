import { verify, X509Certificate } from 'node:crypto';

/**
 * What Amazon SNS posts to an HTTP endpoint: an envelope around a message, signed with Amazon's certificate. SES and SMS
 * events come this way. Format and signature: Amazon SNS Developer Guide, "Verifying the signatures of Amazon SNS
 * messages" and "Parsing Amazon SNS message formats".
 */

export type EnvelopeType = 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';

export interface SnsEnvelope {
  readonly type: EnvelopeType;
  readonly messageId: string;
  readonly topicArn: string;
  readonly message: string;
  readonly subject?: string;
  /** RFC 3339, of publishing: a repeated delivery has the same. */
  readonly timestamp: string;
  readonly signatureVersion: string;
  readonly signature: string;
  readonly certificateUrl: string;
  /** Of the two confirmations. */
  readonly token?: string;
  readonly subscribeUrl?: string;
}

const types: ReadonlySet<string> = new Set<EnvelopeType>([
  'Notification',
  'SubscriptionConfirmation',
  'UnsubscribeConfirmation',
]);

/** Pure: undefined for what is not an envelope; SNS sends JSON as `text/plain`. */
export function parseEnvelope(body: Buffer): SnsEnvelope | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const record = parsed as Record<string, unknown>;
  const text = (...names: string[]) => {
    for (const name of names) {
      const value = Object.hasOwn(record, name) ? record[name] : undefined;
      if (typeof value === 'string') return value;
    }
    return undefined;
  };
  const [type, messageId, topicArn, message, timestamp] = [
    text('Type'),
    text('MessageId'),
    text('TopicArn'),
    text('Message'),
    text('Timestamp'),
  ];
  const [signatureVersion, signature] = [text('SignatureVersion'), text('Signature')];
  // Lambda and what forwards from it write the addresses in another case.
  const certificateUrl = text('SigningCertURL', 'SigningCertUrl');
  const [subject, token, subscribeUrl] = [text('Subject'), text('Token'), text('SubscribeURL', 'SubscribeUrl')];
  if (type === undefined || !types.has(type)) return undefined;
  if (messageId === undefined || topicArn === undefined || message === undefined || timestamp === undefined)
    return undefined;
  if (signatureVersion === undefined || signature === undefined || certificateUrl === undefined) return undefined;
  return {
    type: type as EnvelopeType,
    messageId,
    topicArn,
    message,
    timestamp,
    signatureVersion,
    signature,
    certificateUrl,
    ...(subject === undefined ? {} : { subject }),
    ...(token === undefined ? {} : { token }),
    ...(subscribeUrl === undefined ? {} : { subscribeUrl }),
  };
}

/** What is signed: names and values, each on a line of its own, in the order of the names. */
function signedText(envelope: SnsEnvelope): string {
  const { type, message, messageId, subject, subscribeUrl, timestamp, token, topicArn } = envelope;
  const isNotification = type === 'Notification';
  const pairs: readonly (readonly [string, string | undefined])[] = [
    ['Message', message],
    ['MessageId', messageId],
    ['Subject', isNotification ? subject : undefined],
    ['SubscribeURL', isNotification ? undefined : subscribeUrl],
    ['Timestamp', timestamp],
    ['Token', isNotification ? undefined : token],
    ['TopicArn', topicArn],
    ['Type', type],
  ];
  return pairs.map(([name, value]) => (value === undefined ? '' : `${name}\n${value}\n`)).join('');
}

const digests: Readonly<Record<string, string>> = { 1: 'RSA-SHA1', 2: 'RSA-SHA256' };

/** Pure: whether the certificate's key made the signature, and the certificate was valid at `now`. */
export function isSignedBy(envelope: SnsEnvelope, certificate: X509Certificate, now: Temporal.Instant): boolean {
  const digest = Object.hasOwn(digests, envelope.signatureVersion) ? digests[envelope.signatureVersion] : undefined;
  if (digest === undefined) return false;
  const [from, until] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  if (!(from <= now.epochMilliseconds && now.epochMilliseconds <= until)) return false;
  try {
    const signature = Buffer.from(envelope.signature, 'base64');
    return verify(digest, Buffer.from(signedText(envelope), 'utf8'), certificate.publicKey, signature);
  } catch {
    // A key that is not of the kind the digest is made with.
    return false;
  }
}

/** Pure: undefined for what is no certificate in PEM. */
export function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

const amazonHost = /^sns\.[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}\.amazonaws\.com(?:\.cn)?$/;

/**
 * Pure: whether an address in an envelope is Amazon's own, before anything is fetched from it. What answers there is
 * believed because of it. An account with a base URL of its own (the sandbox) believes that origin instead.
 */
export function isPinned(address: string, baseUrl: string | undefined): URL | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (url.username !== '' || url.password !== '') return undefined;
  if (baseUrl !== undefined) return isBelow(url, baseUrl) ? url : undefined;
  const isAmazon = url.protocol === 'https:' && url.port === '' && amazonHost.test(url.hostname);
  return isAmazon ? url : undefined;
}

function isBelow(url: URL, baseUrl: string): boolean {
  if (!URL.canParse(baseUrl)) return false;
  const base = new URL(baseUrl);
  const path = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`;
  return url.origin === base.origin && `${url.pathname}/`.startsWith(path);
}

/** Pure: the address of a certificate. Amazon keeps them under one name; anything else on that host may be somebody's text. */
export function certificateUrl(envelope: SnsEnvelope, baseUrl: string | undefined): string | undefined {
  const url = isPinned(envelope.certificateUrl, baseUrl);
  if (url === undefined || url.search !== '' || url.hash !== '') return undefined;
  return /\/SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem$/.test(url.pathname) ? url.href : undefined;
}

/** Pure: where a subscription to our topic is confirmed; nothing else is ever called. */
export function confirmationUrl(envelope: SnsEnvelope, baseUrl: string | undefined): string | undefined {
  const url = envelope.subscribeUrl === undefined ? undefined : isPinned(envelope.subscribeUrl, baseUrl);
  if (url === undefined) return undefined;
  const { searchParams } = url;
  const isConfirmation =
    searchParams.get('Action') === 'ConfirmSubscription' && searchParams.get('TopicArn') === envelope.topicArn;
  return isConfirmation && searchParams.get('Token') === envelope.token ? url.href : undefined;
}

/** SNS repeats a delivery for about an hour at the most, unless the topic's own policy says otherwise. */
const oldestMs = 3_600_000;
const aheadMs = 300_000;

/** Pure: published within the last hour, by Amazon's clock and ours. */
export function isRecent(timestamp: string, now: Temporal.Instant): boolean {
  const at = Date.parse(timestamp);
  const age = now.epochMilliseconds - at;
  return !Number.isNaN(at) && age <= oldestMs && age >= -aheadMs;
}
