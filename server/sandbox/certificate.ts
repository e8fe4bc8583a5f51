import { createSign, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** A self-signed certificate (RFC 5280), which Node can read but not make. Only as much as a verifier of signatures reads. */
export function selfSigned(
  keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
  about: { readonly commonName: string; readonly from: Temporal.Instant; readonly until: Temporal.Instant },
): string {
  const serial = randomBytes(16);
  // Positive, and without a leading zero.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const name = sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(about.commonName, 'utf8')))));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    sha256WithRsa,
    name,
    sequence(time(about.from), time(about.until)),
    name,
    keys.publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = createSign('RSA-SHA256').update(body).sign(keys.privateKey);
  const certificate = sequence(body, sha256WithRsa, der(0x03, Buffer.concat([Buffer.of(0), signature])));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80
      ? Buffer.of(length)
      : length < 0x100
        ? Buffer.of(0x81, length)
        : Buffer.of(0x82, length >> 8, length & 0xff);
  return Buffer.concat([Buffer.of(tag), size, content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

/** OID 2.5.4.3. */
const commonName = der(0x06, Buffer.of(0x55, 0x04, 0x03));
/** OID 1.2.840.113549.1.1.11, with its NULL. */
const sha256WithRsa = sequence(
  der(0x06, Buffer.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b)),
  der(0x05, Buffer.alloc(0)),
);

/** GeneralizedTime. (RFC 5280 wants UTCTime before 2050; readers take both.) */
function time(at: Temporal.Instant): Buffer {
  const text = at
    .round('second')
    .toString()
    .replace(/[-:T]|\.\d+/g, '');
  return der(0x18, Buffer.from(text, 'latin1'));
}
