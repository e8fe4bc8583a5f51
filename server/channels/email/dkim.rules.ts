import { createPrivateKey, createPublicKey, hash, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Sign } from './mime.rules.ts';

/**
 * DKIM (RFC 6376; Ed25519 by RFC 8463), relaxed/relaxed. Own code because the composer has headers and body at hand,
 * and because libraries leave `List-Unsubscribe-Post` out, which RFC 8058 wants covered.
 */

const signedFields = [
  'from',
  'to',
  'subject',
  'date',
  'message-id',
  'reply-to',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'feedback-id',
];
/** Named once more than they occur, so that a second one added on the way breaks the signature (RFC 6376, 8.15). */
const sealedFields = ['from', 'to', 'subject', 'date', 'list-unsubscribe', 'list-unsubscribe-post'];

/** Undefined when it is no key that DKIM signs with: RSA of at least 1024 bits, or Ed25519. */
export function dkimKey(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    return key.asymmetricKeyType === 'rsa' && bits >= 1024 ? key : undefined;
  } catch {
    return undefined;
  }
}

/** As it stands after `p=` in the DNS. */
export function dkimPublicKey(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  // RFC 8463: the bare 32 bytes.
  return (key.asymmetricKeyType === 'ed25519' ? der.subarray(-32) : der).toString('base64');
}

export function createDkimSigner(options: { domain: string; selector: string; key: KeyObject }): Sign {
  const { domain, selector, key } = options;
  const algorithm = key.asymmetricKeyType === 'ed25519' ? 'ed25519-sha256' : 'rsa-sha256';
  return (headers, body, epochSeconds) => {
    const fields = canonicalFields(headers);
    const names = signedFields.filter((name) => fields.has(name)).concat(sealedFields);
    const bodyHash = hash('sha256', canonicalBody(body), 'base64');
    const unsigned =
      `DKIM-Signature: v=1; a=${algorithm}; c=relaxed/relaxed; d=${domain};\r\n s=${selector}; t=${epochSeconds};\r\n` +
      ` bh=${bodyHash};\r\n h=${foldNames(names)};\r\n b=`;
    const signedLines = signedFields.flatMap((name) => fields.get(name) ?? []).map((line) => `${line}\r\n`);
    const data = Buffer.from(`${signedLines.join('')}${canonicalField(unsigned.slice(0, -1) + '=')}`);
    // RFC 8463: Ed25519 signs the digest.
    const signature =
      algorithm === 'rsa-sha256' ? sign('sha256', data, key) : sign(null, hash('sha256', data, 'buffer'), key);
    return `${unsigned}${foldBase64(signature.toString('base64'))}\r\n`;
  };
}

/** Lower-case name -> the field in relaxed form. We write each field once. */
function canonicalFields(headers: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of headers.split(/\r\n(?![ \t])/)) {
    if (field === '') continue;
    fields.set(field.slice(0, field.indexOf(':')).toLowerCase(), canonicalField(field));
  }
  return fields;
}

function canonicalField(field: string): string {
  const colon = field.indexOf(':');
  const value = field
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim();
  return `${field.slice(0, colon).toLowerCase().trim()}:${value}`;
}

export function canonicalBody(body: Buffer): Buffer {
  const text = body
    .toString('latin1')
    .replace(/[ \t]+/g, ' ')
    .replace(/ (?=\r\n)/g, '')
    .replace(/(?:\r\n)+$/, '');
  return Buffer.from(text === '' ? '' : `${text}\r\n`, 'latin1');
}

function foldNames(names: readonly string[]): string {
  let line = 3;
  return names
    .map((name, index) => {
      const fold = line + name.length > 72;
      line = fold ? name.length + 1 : line + name.length + 1;
      return `${index === 0 ? '' : ':'}${fold ? '\r\n ' : ''}${name}`;
    })
    .join('');
}

function foldBase64(text: string): string {
  return text.match(/.{1,72}/g)?.join('\r\n ') ?? '';
}
