import { describe, expect, it } from 'vitest';
import type { Callback, ErrorCategory } from '../../port.ts';
import { readContract } from '../../testing-spec.ts';
import { bounceCode, categoryOf, dropCode, replyCode, sendGridErrors } from './errors.rules.ts';
import { isSignedBy, refOf, sendGridReceipts } from './receipts.ts';
import { eventKey } from './settings.ts';

/** What SendGrid's own vectors, payloads and tables say, against what Parley makes of them. */

/** Which of our categories a class of the table may be. */
const classes: Record<string, readonly ErrorCategory[]> = {
  config: ['account', 'content'],
  permanent: ['content'],
  suppress: ['address'],
  transient: ['transient', 'provider-down'],
  throttle: ['throttled'],
};

interface Errors {
  http: { status: number; class: string }[];
  events: { event: string; type?: string; class: string }[];
  dropReasons: { reason: string; class: string }[];
  smtp: { code: string; example: string; class: string }[];
  bounceClassifications: string[];
}
const errors = readContract<Errors>('errors/sendgrid.json');

describe.skipIf(errors === undefined)('SendGrid’s table of errors', () => {
  const expectFits = (code: string, kind: string) => {
    expect(Object.keys(sendGridErrors)).toContain(code);
    expect(classes[kind], `${code} is ${kind}`).toContain(categoryOf(code));
  };

  it('has a place for every status', () => {
    const refusals = (errors?.http ?? []).filter(({ class: kind }) => kind !== 'success');
    for (const { status, class: kind } of refusals) expectFits(String(status), kind);
  });

  it('has a place for every reason of a drop', () => {
    for (const { reason, class: kind } of errors?.dropReasons ?? []) expectFits(dropCode(reason), kind);
  });

  it('has a place for every reply of a mail server', () => {
    for (const { code, example, class: kind } of errors?.smtp ?? [])
      expectFits(replyCode(`${code} ${example}`) ?? '', kind);
  });

  it('tells a bounce from a block, of every classification', () => {
    for (const { event, type, class: kind } of errors?.events ?? [])
      if (event === 'bounce') expectFits(bounceCode(type, undefined), kind);
    for (const name of errors?.bounceClassifications ?? []) {
      expect(categoryOf(bounceCode('blocked', name))).not.toBe('unknown');
      expect(categoryOf(bounceCode('bounce', name))).toBe('address');
    }
  });
});

interface Vector {
  id: string;
  publicKey: string;
  rawBody: string;
  signature: string;
  timestamp: string;
  valid: boolean;
}
const vectors = readContract<{ vectors: Vector[] }>('signatures/sendgrid_event_webhook.json')?.vectors ?? [];

it.skipIf(vectors.length === 0).each(vectors.map((vector) => [vector.id, vector] as const))(
  'judges the signature of %s as SendGrid does',
  (_id, vector) => {
    const key = eventKey(vector.publicKey);
    expect(key).toBeDefined();
    if (key === undefined) return;
    expect(isSignedBy(key, vector.signature, vector.timestamp, Buffer.from(vector.rawBody))).toBe(vector.valid);
  },
);

interface Derived {
  provider: string;
  id: string;
  publicKey: string;
  headers: Record<string, string>;
  body: string;
}
const derived = (readContract<{ requests: Derived[] }>('derived/signed_webhook_requests.json')?.requests ?? []).filter(
  ({ provider }) => provider === 'sendgrid',
);

describe.skipIf(derived.length === 0)('a signed request', () => {
  it('is believed as it came, and not with one byte changed', () => {
    for (const request of derived) {
      const key = eventKey(request.publicKey);
      const signature = request.headers['X-Twilio-Email-Event-Webhook-Signature'] ?? '';
      const timestamp = request.headers['X-Twilio-Email-Event-Webhook-Timestamp'] ?? '';
      if (key === undefined) throw new Error('no key');
      expect(isSignedBy(key, signature, timestamp, Buffer.from(request.body)), request.id).toBe(true);
      expect(isSignedBy(key, signature, timestamp, Buffer.from(`${request.body} `)), request.id).toBe(false);
      expect(isSignedBy(key, signature, `${timestamp}1`, Buffer.from(request.body)), request.id).toBe(false);
    }
  });

  it('is read without a rest, but for events that name no message', () => {
    for (const { id, body } of derived) {
      const events = JSON.parse(body) as Record<string, unknown>[];
      const about = events.filter((event) => 'sg_message_id' in event);
      const told = sendGridReceipts.read(callback(body));
      const others = told.news.filter(({ kind }) => kind === 'unreadable');
      expect(others, id).toHaveLength(events.length - about.length);
      expect(told.receipts.length + told.news.length, id).toBe(events.length);
    }
  });
});

function callback(body: string): Callback {
  return { method: 'POST', url: 'https://parley.example/', headers: {}, body: Buffer.from(body) };
}

const samples = (file: string) =>
  readContract<{ samples: { id: string; payload: object[] }[] }>(`payloads/sendgrid/${file}.json`)?.samples ?? [];
const read = (file: string, id: string) => {
  const payload = samples(file).find((sample) => sample.id === id)?.payload ?? [];
  return sendGridReceipts.read(callback(JSON.stringify(payload)));
};

describe.skipIf(samples('event_webhook').length === 0)('SendGrid’s payloads', () => {
  it('are read kind by kind', () => {
    expect(read('event_webhook', 'one-of-each-type').receipts.map(({ kind }) => kind)).toEqual([
      'accepted',
      'deferred',
      'delivered',
      'opened',
      'clicked',
      'bounced',
      'failed',
      'complained',
      'unsubscribed',
      'unsubscribed',
    ]);
    expect(read('event_webhook', 'one-of-each-type').news.map(({ kind }) => kind)).toEqual(['group-resubscribe']);
  });

  it('tell a mailbox that is gone from a block, and a drop by its reason', () => {
    expect(read('event_webhook', 'one-of-each-type').receipts[5]).toMatchObject({ category: 'address', code: '5.0.0' });
    expect(read('event_webhook', 'bounce-blocked-7').receipts[0]).toMatchObject({
      kind: 'bounced',
      category: 'transient',
    });
    expect(read('event_webhook_real', 'json-sendgrid-14').receipts[0]).toMatchObject({
      kind: 'bounced',
      category: 'transient',
      code: '5.7.13',
      reason: '525 5.7.13 Disabled recipient address',
      ref: '1WmUfrSfRTK-rqq2dbmjbg',
      at: '2017-09-04T21:22:48Z',
    });
    expect(read('event_webhook_anymail', 'test_dropped_bounced-raw_events').receipts[0]).toMatchObject({
      kind: 'failed',
      category: 'address',
      code: 'Bounced Address',
    });
  });

  it('of real accounts are read too', () => {
    for (const file of ['event_webhook_real', 'event_webhook_anymail'])
      for (const { id, payload } of samples(file))
        expect(sendGridReceipts.read(callback(JSON.stringify(payload))).receipts, id).toHaveLength(payload.length);
  });
});

describe('an event', () => {
  const id = '0198c1d2-0000-7000-8000-000000000001';
  const one = (event: object) => sendGridReceipts.read(callback(JSON.stringify([event])));
  const base = {
    event: 'open',
    timestamp: 1_700_000_000,
    sg_event_id: 'e1',
    sg_message_id: 'abc.recvd-1-2-3',
    parley_id: id,
  };

  it('names our message, and the same fact by the same key', () => {
    const [receipt] = one(base).receipts;
    expect(receipt).toMatchObject({
      kind: 'opened',
      messageId: id,
      ref: 'abc',
      key: 'open:e1',
      at: '2023-11-14T22:13:20Z',
    });
    expect(one(base).receipts[0]?.key).toBe(receipt?.key);
    expect(one({ ...base, event: 'click', url: 'https://a.example/' }).receipts[0]).toMatchObject({
      kind: 'clicked',
      key: 'click:e1',
      url: 'https://a.example/',
    });
  });

  it('of a machine is marked', () => {
    expect(one({ ...base, sg_machine_open: true }).receipts[0]).toMatchObject({ isMachine: true });
    expect(one(base).receipts[0]).not.toHaveProperty('isMachine');
  });

  it('hides addresses', () => {
    const bounce = {
      ...base,
      event: 'bounce',
      type: 'bounce',
      email: 'ada@example.com',
      reason: '550 <ada@example.com> unknown',
    };
    expect(JSON.stringify(one(bounce))).not.toContain('ada@');
    expect(JSON.stringify(one({ ...bounce, sg_event_id: undefined }))).not.toContain('ada@');
  });

  it('takes no id of ours that is none', () => {
    expect(one({ ...base, parley_id: "x'; drop" }).receipts[0]).not.toHaveProperty('messageId');
    expect(one({ ...base, parley_id: undefined, 'smtp-id': `<${id}@example.com>` }).receipts[0]).toMatchObject({
      messageId: id,
    });
  });

  it('that makes no sense is named, and the others are read all the same', () => {
    const told = sendGridReceipts.read(callback(JSON.stringify([null, 7, { event: 'nonsense' }, base])));
    expect(told.receipts).toHaveLength(1);
    expect(told.news.map(({ kind }) => kind)).toEqual(['unreadable', 'unreadable', 'unreadable']);
    expect(new Set(told.news.map(({ key }) => key)).size).toBe(3);
    expect(sendGridReceipts.read(callback('{')).news).toMatchObject([{ kind: 'unreadable' }]);
  });

  it.each([
    ['LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0', 'LRzXl_NHStOGhQ4kofSm_A'],
    ['14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0', '14c5d75ce93.dfd.64b469'],
    ['bare', 'bare'],
  ])('%s belongs to the request %s', (whole, ref) => {
    expect(refOf(whole)).toBe(ref);
  });
});
