import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { confidential, readSummary, summarise } from './mail.rules.ts';
import { readVendorSummary, summariseVendorMail, unwrap, wrap } from './vendor-mail.rules.ts';
import type { VendorMail } from './vendor.ts';

const mail: VendorMail = {
  channel: 'email',
  vendor: 'sendgrid',
  to: 'ada@example.com',
  from: 'us@example.com',
  title: 'Hello',
  ref: 'r1',
  messageId: '0198c1d2-0000-7000-8000-000000000001',
  raw: Buffer.from('Subject: Hello\r\n\r\nHi\r\n'),
};

describe('the summary of what a vendor took', () => {
  it('holds what a list shows, and is told from that of a mail over SMTP', () => {
    expect(readVendorSummary(summariseVendorMail(mail))).toEqual({
      from: 'us@example.com',
      to: 'ada@example.com',
      subject: 'Hello',
      messageId: mail.messageId,
      ref: 'r1',
      reader: undefined,
    });
    const smtp = summarise({ from: '{a@example.com', to: 'b@example.com' }, mail.raw);
    expect(readVendorSummary(smtp)).toBeUndefined();
    expect(readSummary(smtp).from).toBe('{a@example.com');
  });

  it("knows a mail of Parley's own, wherever its mark stands and however a vendor wrote it", () => {
    const [name = '', value = ''] = Object.entries(confidential('user-1'))[0] ?? [];
    for (const header of [`${name}: ${value}`, `${name.toLowerCase()}:${value}`, `${name.toUpperCase()}:  ${value}`]) {
      for (const head of [
        `${header}\r\nSubject: x`,
        `Subject: x\r\n${header}`,
        `Subject: x\r\n y\r\n${header}\r\nTo: z`,
      ]) {
        const raw = Buffer.from(`${head}\r\n\r\nlink`);
        const read = readVendorSummary(summariseVendorMail({ ...mail, raw }));
        expect(read).toMatchObject({ reader: 'user-1', messageId: undefined });
      }
    }
  });

  it('is not marked by what stands in the body', () => {
    const raw = Buffer.from('Subject: x\r\n\r\nX-Parley-Confidential: nobody\r\n');
    expect(readVendorSummary(summariseVendorMail({ ...mail, raw }))?.reader).toBeUndefined();
  });
});

describe('what is kept of it', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.string(),
        fc.dictionary(fc.string(), fc.string()),
        (raw, text, memo) => {
          const made = unwrap(wrap({ ...mail, raw: Buffer.from(raw), shown: { text }, memo }, 'https://a.example/x'));
          expect(made.raw).toEqual(Buffer.from(raw));
          expect(made.about).toMatchObject({ shown: { text }, callbackUrl: 'https://a.example/x' });
          expect(Object.keys(made.about.memo ?? {}).length).toBe(
            Object.keys(memo).filter((key) => key !== '__proto__').length,
          );
        },
      ),
    );
  });
});
