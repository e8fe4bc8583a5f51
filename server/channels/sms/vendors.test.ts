import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Callback, ErrorCategory, ErrorTable } from '../port.ts';
import { isTwilioSigned } from '../twilio.rules.ts';
import { readContract } from '../testing-spec.ts';
import { plivoErrors } from './plivo/errors.rules.ts';
import { plivoResult } from './plivo/answer.rules.ts';
import { readPlivo } from './plivo/receipts.rules.ts';
import { plivoNonce, plivoSignatureV2, plivoSignatureV3 } from './plivo/signature.rules.ts';
import { plivoCallback } from './plivo/testing.ts';
import { snsErrors } from './sns/errors.rules.ts';
import { publishResult } from './sns/query.rules.ts';
import { readSns } from './sns/receipts.rules.ts';
import { messageId } from './testing.ts';
import { readTwilio } from './twilio/receipts.rules.ts';
import { twilioCallback } from './twilio/testing.ts';

/** The vendors' codes, signatures and payloads as they were collected. */

const categories: Readonly<Record<string, readonly ErrorCategory[]>> = {
  suppress: ['address'],
  permanent: ['content'],
  transient: ['transient', 'provider-down'],
  throttle: ['throttled'],
  config: ['content', 'account'],
};

const isOfClass = (table: ErrorTable, code: string, group: string) => {
  const category = table[code]?.category;
  return category !== undefined && categories[group]?.includes(category) === true;
};

const snsCodes = readContract<{
  apiErrors: readonly { code: string; class: string }[];
  deliveryFailures: readonly { providerResponse: string; class: string }[];
}>('errors/sns_sms.json');

describe.skipIf(snsCodes === undefined)('the codes of Amazon SNS', () => {
  it.each((snsCodes?.apiErrors ?? []).map((one) => [one.code, one.class] as const))(
    '%s is of class %s',
    (code, group) => {
      expect(isOfClass(snsErrors, code, group)).toBe(true);
      // On the wire it goes without the suffix, save where it does not.
      const wire = code.replace(/Exception$/, '');
      if (Object.hasOwn(snsErrors, wire)) expect(isOfClass(snsErrors, wire, group)).toBe(true);
    },
  );
  it.each((snsCodes?.deliveryFailures ?? []).map((one) => [one.providerResponse, one.class] as const))(
    '"%s" is of class %s',
    (said, group) => expect(isOfClass(snsErrors, said, group)).toBe(true),
  );
});

const plivoCodes = readContract<{
  http: readonly { status: number; class: string }[];
  codes: readonly { code: string; class: string }[];
  messageStates: readonly string[];
}>('errors/plivo.json');

describe.skipIf(plivoCodes === undefined)('the codes of Plivo', () => {
  it.each((plivoCodes?.codes ?? []).map((one) => [one.code, one.class] as const))('%s is of class %s', (code, group) =>
    expect(isOfClass(plivoErrors, code, group)).toBe(true),
  );
  it.each((plivoCodes?.http ?? []).filter((one) => one.class !== 'success'))('$status is of class $class', (one) => {
    expect(isOfClass(plivoErrors, String(one.status), one.class)).toBe(true);
    const body = Buffer.from(JSON.stringify({ api_id: 'x', error: 'no' }));
    const result = plivoResult({ status: one.status, body, to: '+15005550001' });
    expect(result).toMatchObject({ code: String(one.status), category: plivoErrors[String(one.status)]?.category });
  });
  it('and its states are all known', () => {
    for (const state of plivoCodes?.messageStates ?? [])
      expect(readPlivo(plivoCallback({ MessageUUID: '1', Status: state, From: '1', To: '2' })).news).toEqual([]);
  });
});

interface PlivoVector {
  readonly id: string;
  readonly version: 'V2' | 'V3';
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  readonly nonce: string;
  readonly authToken: string;
  readonly signature: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly valid: boolean;
}
const plivoVectors = readContract<{ vectors: readonly PlivoVector[] }>('signatures/plivo.json')?.vectors;

describe.skipIf(plivoVectors === undefined)('the signatures of Plivo’s own tests', () => {
  it.each((plivoVectors ?? []).map((one) => [one.id, one] as const))('%s', (_id, one) => {
    const { authToken, nonce, url, method = 'POST', signature, version } = one;
    const fields = Object.entries(one.params ?? {});
    const made =
      version === 'V2'
        ? plivoSignatureV2(authToken, url, nonce)
        : plivoSignatureV3(authToken, { method, url, fields }, nonce);
    expect(made === signature).toBe(one.valid);
    const name = `x-plivo-signature-${version.toLowerCase()}`;
    // A GET carries its fields in the address, as it is called.
    const query = method === 'GET' && fields.length > 0 ? `?${new URLSearchParams(fields).toString()}` : '';
    const callback: Callback = {
      method,
      url: url + query,
      headers: { [name]: `bm90IGl0, ${signature}`, [`${name}-nonce`]: nonce },
      body: Buffer.from(method === 'GET' ? '' : new URLSearchParams(fields).toString()),
    };
    expect(plivoNonce(authToken, callback)).toBe(one.valid ? nonce : undefined);
    expect(plivoNonce('', callback)).toBeUndefined();
  });
});

describe('Plivo', () => {
  const fields = { From: '14155552345', To: '4915228817386', Status: 'delivered', MessageUUID: 'part-1', Units: '2' };
  const report = (change: Record<string, string>) => readPlivo(plivoCallback({ ...fields, ...change }, { messageId }));

  it('is believed by version 2 where it sends no other, which then covers the address alone', () => {
    const callback = plivoCallback(fields, { messageId, version: 2 });
    expect(plivoNonce('auth-token-of-acme', callback)).toBe('31627761595286130198');
    expect(plivoNonce('auth-token-of-acme', { ...callback, url: 'https://elsewhere.example/c' })).toBeUndefined();
    // A signature of version 3 that does not fit is not made good by one of version 2.
    const both = { ...callback.headers, 'x-plivo-signature-v3': 'x', 'x-plivo-signature-v3-nonce': '1' };
    expect(plivoNonce('auth-token-of-acme', { ...callback, headers: both })).toBeUndefined();
  });

  it('reports on each part of a long text under the id of the whole', () => {
    expect(report({ ParentMessageUUID: 'whole' }).receipts).toEqual([
      { kind: 'delivered', key: 'part-1:delivered', ref: 'whole', messageId, at: '1970-01-01T00:00:00Z', segments: 2 },
    ]);
  });

  it.each([
    ['undelivered', '70', 'bounced', 'address'],
    ['failed', '200', 'failed', 'address'],
    ['undelivered', '80', 'bounced', 'transient'],
    ['rejected', '30', 'failed', 'content'],
    ['failed', '4711', 'failed', 'unknown'],
  ])('%s with %s is %s, of %s', (Status, ErrorCode, kind, category) => {
    expect(report({ Status, ErrorCode }).receipts).toEqual([
      expect.objectContaining({ kind, category, code: ErrorCode }),
    ]);
  });

  it('brings answers, with numbers as the rest of the world writes them', () => {
    const callback = plivoCallback({
      From: '4915228817386',
      To: '14155552345',
      Text: 'Stop',
      Type: 'sms',
      MessageUUID: 'in-1',
    });
    expect(readPlivo({ ...callback, receivedAt: '2026-11-21T10:00:00Z' }).inbound).toEqual([
      {
        channel: 'sms',
        key: 'in-1',
        from: '+4915228817386',
        to: '+14155552345',
        text: 'Stop',
        at: '2026-11-21T10:00:00Z',
        keyword: 'stop',
      },
    ]);
    const picture = plivoCallback({
      From: '1234567',
      To: '12345',
      Type: 'mms',
      Media0: 'https://a.example/1',
      MessageUUID: 'in-2',
    });
    expect(readPlivo(picture).inbound).toEqual([
      expect.objectContaining({ to: '12345', text: '', media: [{ url: 'https://a.example/1' }] }),
    ]);
  });
});

describe('Twilio', () => {
  const read = (fields: Record<string, string>, id?: string) =>
    readTwilio({ ...twilioCallback(fields, id), receivedAt: '2026-11-21T10:00:00Z' });

  it.each([
    ['undelivered', '30005', 'bounced', 'address'],
    ['undelivered', '30007', 'bounced', 'content'],
    ['failed', '21610', 'failed', 'address'],
    ['failed', '30003', 'failed', 'transient'],
    ['undelivered', '99999', 'bounced', 'unknown'],
  ])('%s with %s is %s, of %s', (MessageStatus, ErrorCode, kind, category) => {
    const told = read({ MessageSid: 'SM1', MessageStatus, ErrorCode, To: '+15005550001' }, messageId);
    expect(told.receipts).toEqual([
      expect.objectContaining({ kind, category, code: ErrorCode, messageId, ref: 'SM1', key: `SM1:${MessageStatus}` }),
    ]);
  });

  it('has a carrier’s time where it tells one, else the time it came', () => {
    expect(read({ MessageSid: 'SM1', MessageStatus: 'delivered', RawDlrDoneDate: '2611210958' }).receipts[0]?.at).toBe(
      '2026-11-21T09:58:00Z',
    );
    expect(read({ MessageSid: 'SM1', MessageStatus: 'delivered', RawDlrDoneDate: '9999999999' }).receipts[0]?.at).toBe(
      '2026-11-21T10:00:00Z',
    );
  });

  it('brings answers with pictures and the words it acts on itself', () => {
    const told = read({
      MessageSid: 'MM1',
      SmsStatus: 'received',
      From: '+15005550001',
      To: '+14155552345',
      Body: 'Arrêtez tout',
      OptOutType: 'STOP',
      NumMedia: '2',
      MediaUrl0: 'https://api.twilio.com/1',
      MediaContentType0: 'image/jpeg',
      MediaUrl1: 'https://api.twilio.com/2',
      OriginalRepliedMessageSid: 'SM0',
    });
    expect(told).toEqual({
      receipts: [],
      news: [],
      inbound: [
        {
          channel: 'sms',
          key: 'MM1',
          from: '+15005550001',
          to: '+14155552345',
          text: 'Arrêtez tout',
          at: '2026-11-21T10:00:00Z',
          keyword: 'stop',
          inReplyTo: 'SM0',
          media: [{ url: 'https://api.twilio.com/1', contentType: 'image/jpeg' }, { url: 'https://api.twilio.com/2' }],
        },
      ],
    });
    expect(read({ MessageSid: 'SM1', SmsStatus: 'receiving', From: '+1', To: '+2' })).toEqual({
      receipts: [],
      inbound: [],
      news: [],
    });
  });
});

interface Samples {
  readonly samples: readonly { readonly id: string; readonly payload: Readonly<Record<string, unknown>> }[];
}
const samples = (file: string) => readContract<Samples>(`payloads/sns/${file}.json`)?.samples ?? [];

const enveloped = (message: unknown): Callback => ({
  method: 'POST',
  url: 'https://parley.example/c',
  headers: {},
  body: Buffer.from(
    JSON.stringify({
      Type: 'Notification',
      MessageId: 'envelope-1',
      TopicArn: 'arn:aws:sns:us-west-2:123456789012:MyTopic',
      Message: typeof message === 'string' ? message : JSON.stringify(message),
      Timestamp: '2026-11-21T10:00:00.000Z',
      SignatureVersion: '2',
      Signature: 'x',
      SigningCertURL: 'https://sns.us-west-2.amazonaws.com/SimpleNotificationService-1.pem',
    }),
  ),
});

describe.skipIf(samples('sms_delivery_logs').length === 0)('the samples of Amazon', () => {
  it('of End User Messaging: taken by the carrier for good is as delivered as it gets', () => {
    const event = samples('sms_event_end_user_messaging')[0]?.payload ?? {};
    expect(readSns(enveloped(event)).receipts).toEqual([
      {
        kind: 'delivered',
        key: '862a8790-60c0-4430-9b2b-658bdexample:TEXT_SUCCESSFUL',
        ref: '862a8790-60c0-4430-9b2b-658bdexample',
        at: '2023-06-17T04:11:43.47Z',
        segments: 1,
      },
    ]);
    expect(readSns(enveloped({ ...event, isFinal: false })).receipts[0]?.kind).toBe('sent');
  });

  it('of the delivery log: success and failure', () => {
    const [success, failure] = samples('sms_delivery_logs').map(
      ({ payload }) => readSns(enveloped(payload)).receipts[0],
    );
    expect(success).toMatchObject({
      kind: 'delivered',
      ref: '34d9b400-c6dd-5444-820d-fbeb0f1f54cf',
      at: '2016-06-28T00:40:34.558Z',
    });
    expect(failure).toMatchObject({
      kind: 'bounced',
      category: 'transient',
      code: 'Unknown error attempting to reach phone',
      ref: '1077257a-92f3-5ca3-bc97-6a915b310625',
    });
  });

  it('of two-way messages: an answer to what was sent', () => {
    const event = samples('sms_inbound_two_way')[0]?.payload ?? {};
    expect(readSns(enveloped(event)).inbound).toEqual([
      {
        channel: 'sms',
        key: 'cae173d2-66b9-564c-8309-21f858e9fb84',
        from: '+14255550182',
        to: '+12125550101',
        text: 'EXAMPLE',
        at: '2026-11-21T10:00:00.000Z',
        inReplyTo: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      },
    ]);
    expect(readSns(enveloped({ ...event, messageBody: 'stop' })).inbound[0]?.keyword).toBe('stop');
  });

  it('of plain notifications: nothing that concerns us', () => {
    for (const { payload } of samples('../sns/http_envelopes')) {
      const callback = { ...enveloped(''), body: Buffer.from(JSON.stringify(payload)) };
      expect(readSns(callback)).toMatchObject({ receipts: [], inbound: [], news: [{ kind: 'unreadable' }] });
    }
  });
});

it.each([
  ['TEXT_INVALID', 'bounced', 'address'],
  ['TEXT_SPAM', 'bounced', 'content'],
  ['TEXT_PROTECT_BLOCKED', 'failed', 'content'],
  ['TEXT_CARRIER_UNREACHABLE', 'bounced', 'transient'],
])('%s of Amazon is %s, of %s', (eventType, kind, category) => {
  const said = 'Phone number +14255550156 had trouble';
  const event = { eventType, messageId: 'm', messageStatusDescription: said, destinationPhoneNumber: '+14255550156' };
  expect(readSns(enveloped(event)).receipts).toEqual([
    expect.objectContaining({ kind, category, code: eventType, reason: 'Phone number •••••156 had trouble' }),
  ]);
});

it('what Amazon answers in XML is read with its entities, and doubted where it is no answer of its', () => {
  const error = (message: string) =>
    Buffer.from(
      `<ErrorResponse><Error><Code>InvalidParameter</Code><Message>${message}</Message></Error></ErrorResponse>`,
    );
  const to = '+15005550001';
  expect(publishResult({ status: 400, body: error('a &lt;b&gt; &amp; &#39;c&#39;'), to })).toMatchObject({
    category: 'content',
    reason: "a <b> & 'c'",
  });
  for (const body of ['', '<PublishResponse/>', '<PublishResponse><MessageId>no</MessageId></PublishResponse>', '{}'])
    expect(publishResult({ status: 200, body: Buffer.from(body), to })).toMatchObject({
      kind: 'unknown',
      code: 'malformed',
    });
  expect(publishResult({ status: 503, body: Buffer.from('<html>'), to })).toMatchObject({ category: 'provider-down' });
});

describe('whatever comes', () => {
  const words =
    'MessageSid SmsStatus MessageStatus MessageUUID Status From To NumMedia RawDlrDoneDate eventType messageId ' +
    'eventTimestamp notification delivery originationNumber __proto__ constructor delivered received TEXT_SENT 1e99 % +';
  const word = fc.constantFrom(...words.split(' '), '');
  const value = fc.oneof(word, fc.string(), fc.integer(), fc.double(), fc.constant(null), fc.dictionary(word, word));
  const bodies = fc.oneof(
    fc.array(fc.tuple(word, fc.oneof(word, fc.string()))).map((pairs) => new URLSearchParams(pairs).toString()),
    fc.dictionary(word, value).map((fields) => JSON.stringify(fields)),
    fc.dictionary(word, value).map((fields) => enveloped(fields).body.toString()),
    fc.string(),
  );

  it('is read or named as unreadable, and never throws', () => {
    fc.assert(
      fc.property(bodies, fc.constantFrom('https://parley.example/c?message=x', 'nonsense', ''), (body, url) => {
        for (const read of [readTwilio, readPlivo, readSns]) {
          const told = read({ method: 'POST', url, headers: {}, body: Buffer.from(body) });
          for (const { at } of [...told.receipts, ...told.inbound, ...told.news])
            expect(Number.isNaN(Date.parse(at))).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is not taken for signed, and never throws', () => {
    const header = fc.dictionary(
      fc.constantFrom(
        'x-twilio-signature',
        'x-plivo-signature-v3',
        'x-plivo-signature-v3-nonce',
        'x-plivo-signature-v2',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(bodies, header, fc.string(), (body, headers, url) => {
        const callback: Callback = { method: 'POST', url, headers, body: Buffer.from(body) };
        expect(plivoNonce('token', callback)).toBeUndefined();
        expect(isTwilioSigned('token', callback)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});
