import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Callback, ErrorCategory } from '../../port.ts';
import { isSignedBy, parseEnvelope } from '../../sns-envelope.rules.ts';
import { contractFile, readContract } from '../../testing-spec.ts';
import { bounceCode, errorOf, narrowed, readRefusal, sesErrors } from './errors.rules.ts';
import { readEvent, sesReceipts } from './receipts.ts';

/** What Amazon's own payloads, models and tables say, against what Parley makes of them. */

const classes: Record<string, readonly ErrorCategory[]> = {
  config: ['account', 'content'],
  permanent: ['content'],
  suppress: ['address'],
  transient: ['transient', 'provider-down'],
  throttle: ['throttled'],
};

interface Errors {
  apiErrors: { code: string; http: number; class: string }[];
  throttlingMessages: string[];
  bulkEmailStatus: { code: string; class: string }[];
  bounces: { bounceType: string; bounceSubType: string; class: string }[];
}
const errors = readContract<Errors>('errors/ses.json');

describe.skipIf(errors === undefined)('Amazon’s table of errors', () => {
  it('has a place for every exception', () => {
    for (const { code, http, class: kind } of errors?.apiErrors ?? []) {
      const headers = { 'x-amzn-errortype': `${code}:http://internal.amazon.com/` };
      expect(readRefusal(http, headers, Buffer.from('{"message":"no"}'))?.code).toBe(code);
      expect(readRefusal(http, {}, Buffer.from(JSON.stringify({ __type: `com.amazonaws#${code}` })))?.code).toBe(code);
      expect(classes[kind], code).toContain(sesErrors[code]?.category);
    }
  });

  it('tells the quota of the day from the rate of the second', () => {
    const [daily = '', rate = ''] = errors?.throttlingMessages ?? [];
    expect(sesErrors[narrowed('LimitExceededException', daily)]).toMatchObject({
      category: 'throttled',
      afterMs: 3_600_000,
    });
    expect(sesErrors[narrowed('TooManyRequestsException', rate)]).not.toHaveProperty('afterMs');
  });

  it('has a place for every state of an entry', () => {
    const failures = (errors?.bulkEmailStatus ?? []).filter(({ class: kind }) => kind !== 'success');
    for (const { code, class: kind } of failures) expect(classes[kind], code).toContain(sesErrors[code]?.category);
  });

  it('has a place for every bounce, and judges subtypes it does not know by their type', () => {
    for (const { bounceType, bounceSubType, class: kind } of errors?.bounces ?? []) {
      const code = bounceCode(bounceType, bounceSubType);
      expect(code).toBe(`${bounceType}/${bounceSubType}`);
      expect(classes[kind], code).toContain(errorOf(code)?.category);
    }
    expect(errorOf(bounceCode('Permanent', 'SomethingNew'))?.category).toBe('address');
    expect(errorOf(bounceCode('Transient', 'SomethingNew'))?.category).toBe('transient');
    expect(errorOf(bounceCode('', ''))?.category).toBe('transient');
  });

  it('tells an unverified sender and a bad address from the rest', () => {
    expect(narrowed('MessageRejected', 'Email address is not verified.')).toBe('MessageRejected/not-verified');
    expect(narrowed('BadRequestException', "Missing final '@domain'")).toBe('BadRequestException/address');
    expect(narrowed('BadRequestException', 'Local address contains control or whitespace')).toBe(
      'BadRequestException/address',
    );
    expect(narrowed('BadRequestException', 'Invalid template')).toBe('BadRequestException');
  });
});

interface Derived {
  provider: string;
  id: string;
  body: string;
}
const derived = (readContract<{ requests: Derived[] }>('derived/signed_webhook_requests.json')?.requests ?? []).filter(
  ({ provider }) => provider === 'ses-sns',
);

function callback(body: string): Callback {
  return { method: 'POST', url: 'https://parley.example/', headers: {}, body: Buffer.from(body) };
}

it.skipIf(derived.length === 0).each(derived.map((request) => [request.id, request] as const))(
  '%s is genuine and can be read',
  (id, { body }) => {
    const certificate = new X509Certificate(readFileSync(contractFile('derived/sns_test_cert.pem') ?? ''));
    const envelope = parseEnvelope(Buffer.from(body));
    if (envelope === undefined) throw new Error('no envelope');
    const at = Temporal.Instant.fromEpochMilliseconds(Date.parse(certificate.validFrom) + 1000);
    expect(isSignedBy(envelope, certificate, at)).toBe(true);
    expect(isSignedBy({ ...envelope, message: `${envelope.message} ` }, certificate, at)).toBe(false);
    const { receipts, news } = sesReceipts.read(callback(body));
    expect(receipts.length + news.length, id).toBe(1);
    expect(news.filter(({ kind }) => kind === 'unreadable')).toEqual([]);
  },
);

const samples = (file: string) =>
  readContract<{ samples: { id: string; payload: unknown }[] }>(`payloads/ses/${file}.json`)?.samples ?? [];
const kindsOf = (file: string) =>
  Object.fromEntries(
    samples(file).map(({ id, payload }) => {
      const { receipts, news } = readEvent(typeof payload === 'string' ? payload : JSON.stringify(payload));
      return [id, receipts?.[0]?.kind ?? news?.kind];
    }),
  );

describe.skipIf(samples('event_publishing').length === 0)('Amazon’s payloads', () => {
  it('that a configuration set publishes are read kind by kind', () => {
    expect(kindsOf('event_publishing')).toMatchObject({
      'bounce-record': 'bounced',
      'complaint-record': 'complained',
      'delivery-record': 'delivered',
      'send-record': 'accepted',
      'reject-record': 'failed',
      'open-record': 'opened',
      'subscription-record': 'unsubscribed',
    });
    expect(Object.values(kindsOf('event_publishing'))).not.toContain(undefined);
  });

  it('of an identity are read too, and those of real accounts', () => {
    for (const file of ['identity_notifications', 'real_notifications']) {
      const kinds = kindsOf(file);
      expect(Object.keys(kinds).length).toBeGreaterThan(0);
      for (const [id, kind] of Object.entries(kinds)) {
        const wanted = /bounce/i.test(id) ? 'bounced' : /complaint/i.test(id) ? 'complained' : kind;
        expect(kind, id).toBe(wanted);
        expect(['bounced', 'complained', 'delivered']).toContain(kind);
      }
    }
  });

  it('tell a gone mailbox with the status the mail server gave', () => {
    const [real] = samples('real_notifications');
    expect(readEvent(JSON.stringify(real?.payload)).receipts?.[0]).toMatchObject({
      kind: 'bounced',
      category: 'address',
      code: '5.1.1',
      reason: 'smtp; 550 5.1.1 user unknown',
      ref: '01010157e48f9b9b-891e9a0e-9c9d-4773-9bfe-608f2ef4756d-000000',
      at: '2016-10-21T00:06:40.502Z',
    });
  });

  it('of other users are read as well', () => {
    for (const { id, payload } of samples('notifications_anymail')) {
      const inner = (payload as { Message?: string }).Message;
      const told = readEvent(inner ?? JSON.stringify(payload));
      // Mail that SES receives is nobody's receipt.
      expect(told.isUnreadable === true, id).toBe(id.includes('received_event'));
    }
  });
});

describe('an event', () => {
  const id = '0198c1d2-0000-7000-8000-000000000001';
  const mail = { timestamp: '2026-01-01T00:00:00.000Z', messageId: 'ses-1', tags: { 'parley-id': [id] } };
  const read = (event: object) => readEvent(JSON.stringify({ mail, ...event }));

  it('names our message, and is the same fact whichever way it comes', () => {
    const bounce = {
      bounceType: 'Permanent',
      bounceSubType: 'General',
      timestamp: '2026-01-01T00:00:01.000Z',
      bouncedRecipients: [{}],
    };
    const [published] = read({ eventType: 'Bounce', bounce }).receipts ?? [];
    const [notified] = read({ notificationType: 'Bounce', bounce, mail: { ...mail, tags: undefined } }).receipts ?? [];
    expect(published).toMatchObject({ messageId: id, ref: 'ses-1' });
    expect(notified).toMatchObject({ ref: 'ses-1', key: published?.key });
    expect(notified).not.toHaveProperty('messageId');
  });

  it('of an identity with headers names our message by its Message-ID', () => {
    const headed = { ...mail, tags: undefined, commonHeaders: { messageId: `<${id}@example.com>` } };
    expect(read({ notificationType: 'Delivery', delivery: {}, mail: headed }).receipts?.[0]).toMatchObject({
      messageId: id,
    });
  });

  it.each([
    [
      { eventType: 'Click', click: { link: 'https://a.example/', timestamp: '2026-01-01T00:00:01Z' } },
      { kind: 'clicked', url: 'https://a.example/' },
    ],
    [
      {
        eventType: 'DeliveryDelay',
        deliveryDelay: {
          delayType: 'MailboxFull',
          delayedRecipients: [{ status: '4.2.2', diagnosticCode: 'smtp; 452 4.2.2 full ada@example.com' }],
        },
      },
      { kind: 'deferred', code: '4.2.2' },
    ],
    [
      { eventType: 'Rendering Failure', failure: { errorMessage: 'Attribute p1 is not present', templateName: 't' } },
      { kind: 'failed', category: 'content', code: 'rendering-failure' },
    ],
    [
      { eventType: 'Complaint', complaint: { complaintSubType: 'OnAccountSuppressionList' } },
      { kind: 'failed', category: 'address' },
    ],
  ])('%j', (event, wanted) => {
    const told = read(event);
    expect(told.receipts?.[0]).toMatchObject(wanted);
    expect(JSON.stringify(told)).not.toContain('ada@');
  });

  it('that takes a complaint back, or only tries the topic, is no receipt', () => {
    expect(read({ eventType: 'Complaint', complaint: { complaintFeedbackType: 'not-spam' } })).toMatchObject({
      news: { kind: 'not-spam' },
    });
    expect(readEvent('Successfully validated SNS topic for Amazon SES event publishing.')).toEqual({});
    expect(readEvent('{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"…"}')).toEqual({});
  });

  it.each(['{', '{}', '{"eventType":"Bounce"}', '{"eventType":"New","mail":{"messageId":"x"}}'])(
    '%s is named, not guessed',
    (text) => {
      expect(readEvent(text)).toEqual({ isUnreadable: true });
    },
  );
});
