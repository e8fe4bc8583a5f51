import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalBody, createDkimSigner, dkimKey, dkimPublicKey } from './dkim.rules.ts';
import { createComposer } from './mime.rules.ts';

/** A verifier written from RFC 6376 alone: it shares nothing with the signer. */
function verifies(raw: Buffer, publicKey: KeyObject): boolean {
  const text = raw.toString('latin1');
  const split = text.indexOf('\r\n\r\n');
  const fields = text.slice(0, split).split(/\r\n(?![ \t])/);
  const body = text.slice(split + 4);
  const relaxed = (field: string) => {
    const [name = '', ...value] = field.split(':');
    return `${name.trim().toLowerCase()}:${value
      .join(':')
      .replace(/\r\n/g, '')
      .replace(/[ \t]+/g, ' ')
      .trim()}`;
  };
  const signature = fields.find((field) => /^dkim-signature:/i.test(field)) ?? '';
  const tags = new Map(
    signature
      .slice(signature.indexOf(':') + 1)
      .split(';')
      .map((tag) => {
        const [name = '', ...value] = tag.split('=');
        return [name.trim(), value.join('=').replace(/\s/g, '')] as const;
      }),
  );
  const lines = body.split('\r\n').map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''));
  while (lines.at(-1) === '') lines.pop();
  const bodyHash = createHash('sha256')
    .update(lines.map((line) => `${line}\r\n`).join(''), 'latin1')
    .digest('base64');
  if (bodyHash !== tags.get('bh')) return false;
  const rest = [...fields];
  let data = '';
  for (const name of (tags.get('h') ?? '').split(':')) {
    const index = rest.findLastIndex((field) => field.toLowerCase().startsWith(`${name}:`));
    if (index >= 0) data += `${relaxed(rest.splice(index, 1)[0] ?? '')}\r\n`;
  }
  data += relaxed(signature.replace(/(;\s*b=)[A-Za-z0-9+/=\s]*$/, '$1'));
  const given = Buffer.from(tags.get('b') ?? '', 'base64');
  if (tags.get('a') === 'rsa-sha256') return verify('sha256', Buffer.from(data, 'latin1'), publicKey, given);
  return verify(null, createHash('sha256').update(data, 'latin1').digest(), publicKey, given);
}

const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ed25519: generateKeyPairSync('ed25519'),
};

function signed(key: KeyObject, change: { subject?: string; text?: string } = {}): Buffer {
  const composer = createComposer('nonce', createDkimSigner({ domain: 'example.com', selector: 's1', key }));
  const made = composer.compose(
    {
      channel: 'email',
      messageId: '0198c1d2-0000-7000-8000-000000000001',
      to: 'ada@example.com',
      from: { address: 'news@example.com', name: 'Jürgen' },
      replyTo: { address: 'help@example.com' },
      subject: change.subject ?? 'Grüße  mit   Abstand und einem Betreff, der lang genug ist, um gefaltet zu werden',
      text: change.text ?? 'Hello  \n\n  indented\t\tand spaced \n\n\n',
      html: '<p>Hello</p>\n\n',
      unsubscribeUrl: 'https://mail.example.com/u/abc',
      feedbackId: 'a:b:c',
    },
    Date.UTC(2026, 0, 1),
  );
  if (!made.ok) throw new Error(made.reason);
  return made.email.raw;
}

describe.each(['rsa', 'ed25519'] as const)('a DKIM signature with %s', (kind) => {
  const { privateKey, publicKey } = pairs[kind];

  it('verifies', () => {
    expect(verifies(signed(privateKey), publicKey)).toBe(true);
    expect(verifies(signed(privateKey, { text: '' }), publicKey)).toBe(true);
  });

  it('covers what RFC 8058 wants covered, and From more than once', () => {
    const names = /\sh=([^;]*);/.exec(signed(privateKey).toString())?.[1]?.replace(/\s/g, '').split(':') ?? [];
    expect(names).toEqual(
      expect.arrayContaining(['to', 'subject', 'date', 'message-id', 'list-unsubscribe', 'list-unsubscribe-post']),
    );
    expect(names.filter((name) => name === 'from')).toHaveLength(2);
  });

  it('breaks when a covered header or the body is changed, or a second one is added', () => {
    const text = signed(privateKey).toString('latin1');
    for (const changed of [
      text.replace('/u/abc', '/u/xyz'),
      text.replace(
        'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
        'List-Unsubscribe-Post: List-Unsubscribe=One-Klick',
      ),
      text.replace('\r\nFrom:', '\r\nFrom: evil@example.org\r\nFrom:'),
      text.replace('indented', 'inserted'),
    ]) {
      expect(changed).not.toBe(text);
      expect(verifies(Buffer.from(changed, 'latin1'), publicKey)).toBe(false);
    }
  });

  it('survives what relays may do to white space', () => {
    const text = signed(privateKey).toString('latin1').replace('\r\nSubject: ', '\r\nSubject:   ');
    expect(verifies(Buffer.from(`${text}\r\n\r\n`, 'latin1'), publicKey)).toBe(true);
  });
});

describe('a DKIM key', () => {
  it('is RSA or Ed25519 in PEM, and nothing else', () => {
    const pem = (key: KeyObject) => String(key.export({ type: 'pkcs8', format: 'pem' }));
    expect(dkimKey(pem(pairs.rsa.privateKey))?.asymmetricKeyType).toBe('rsa');
    expect(dkimKey(pem(pairs.ed25519.privateKey))?.asymmetricKeyType).toBe('ed25519');
    expect(dkimKey(pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey))).toBeUndefined();
    expect(dkimKey(pem(generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey))).toBeUndefined();
    expect(dkimKey('-----BEGIN PRIVATE KEY-----\nnope\n-----END PRIVATE KEY-----')).toBeUndefined();
  });

  it('is shown as it stands in the DNS', () => {
    const der = Buffer.from(dkimPublicKey(pairs.rsa.privateKey), 'base64');
    expect(createPublicKey({ key: der, format: 'der', type: 'spki' }).equals(pairs.rsa.publicKey)).toBe(true);
    expect(Buffer.from(dkimPublicKey(pairs.ed25519.privateKey), 'base64')).toHaveLength(32);
  });
});

describe('the canonical body', () => {
  it('is that of the example in RFC 6376, 3.4.5', () => {
    expect(canonicalBody(Buffer.from(' C \r\nD \t E\r\n\r\n\r\n')).toString()).toBe(' C\r\nD E\r\n');
    expect(canonicalBody(Buffer.from('\r\n\r\n')).toString()).toBe('');
    expect(canonicalBody(Buffer.from('')).toString()).toBe('');
  });
});
