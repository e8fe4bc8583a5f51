import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createVirtualClock, systemClock } from '../platform/clock.ts';
import type { HttpCall, HttpClient } from '../platform/http-client.ts';
import { createSnsAuthority } from '../sandbox/sns.ts';
import type { Callback } from './port.ts';
import { verifyEnvelope } from './sns-envelope.ts';
import { certificateUrl, isPinned, isRecent, parseEnvelope } from './sns-envelope.rules.ts';
import { contractFile, readContract } from './testing-spec.ts';

interface Vectors {
  readonly certUrl: string;
  readonly vectors: readonly { id: string; message: Record<string, string>; valid: boolean; note?: string }[];
}

const vectors = readContract<Vectors>('signatures/aws_sns_message.json');
const certificateFile = contractFile('signatures/aws_sns_signing_cert.pem');

/** Answers from a table, and remembers what was asked. */
function tableClient(table: Readonly<Record<string, string>>): HttpClient & { readonly asked: HttpCall[] } {
  const asked: HttpCall[] = [];
  return {
    asked,
    call: (call) => {
      asked.push(call);
      const body = table[call.url];
      const status = body === undefined ? 404 : 200;
      return Promise.resolve({ kind: 'answer', status, headers: {}, body: Buffer.from(body ?? '') });
    },
    trust: () => {},
    close: () => Promise.resolve(),
  };
}

const callbackOf = (message: object): Callback => ({
  method: 'POST',
  url: 'https://parley.example/api/v1/callbacks/sns/1',
  headers: { 'content-type': 'text/plain; charset=UTF-8' },
  body: Buffer.from(JSON.stringify(message)),
});

const log = { info: () => {}, warn: () => {} };

describe.skipIf(vectors === undefined || certificateFile === undefined)('messages that Amazon signed', () => {
  const { vectors: cases, certUrl } = vectors as Vectors;
  const pem = () => readFileSync(certificateFile as string, 'utf8');
  const topicOf = (message: Record<string, string>) => message['TopicArn'] ?? '';

  it.each(cases.map((one) => [one.id, one] as const))('%s', async (_id, { message, valid }) => {
    const http = tableClient({ [certUrl]: pem() });
    const clock = createVirtualClock('2022-07-28T21:30:00Z');
    const trust = { topicArn: topicOf(message), baseUrl: undefined };
    const verdict = await verifyEnvelope(callbackOf(message), trust, { http, clock, log });
    expect(verdict).toEqual(
      valid ? { kind: 'genuine', once: message['MessageId'] } : { kind: 'forged', reason: expect.any(String) },
    );
    if (message['SigningCertURL']?.startsWith('http:') === true) expect(http.asked).toEqual([]);
  });

  const good = cases.find((one) => one.valid)?.message ?? {};
  const judge = (
    change: Record<string, string>,
    at = '2022-07-28T21:30:00Z',
    topicArn: string | null = topicOf(good),
  ) =>
    verifyEnvelope(
      callbackOf({ ...good, ...change }),
      { topicArn, baseUrl: undefined },
      {
        http: tableClient({ [certUrl]: pem() }),
        clock: createVirtualClock(at),
        log,
      },
    );

  it('are forged once a letter of them changes', async () => {
    for (const name of ['Message', 'MessageId', 'Timestamp', 'Subject', 'Type'])
      expect(
        await judge({ [name]: name === 'Type' ? 'UnsubscribeConfirmation' : `${good[name] ?? ''} ` }),
      ).toMatchObject({
        kind: 'forged',
      });
  });

  it('are forged when they come from a topic that is not the account’s, whoever signed them', async () => {
    const other = 'arn:aws:sns:us-east-2:999999999999:mine';
    expect(await judge({}, '2022-07-28T21:30:00Z', other)).toMatchObject({ kind: 'forged' });
    expect(await judge({}, '2022-07-28T21:30:00Z', null)).toMatchObject({ kind: 'forged' });
  });

  it('are forged when an hour old, or signed with a certificate that has run out', async () => {
    expect(await judge({}, '2022-07-28T22:23:58Z')).toMatchObject({ kind: 'genuine' });
    expect(await judge({}, '2022-07-28T22:24:59Z')).toMatchObject({ kind: 'forged' });
    expect(await judge({ Timestamp: '2026-07-28T21:23:58Z' }, '2026-07-28T21:23:58Z')).toMatchObject({
      kind: 'forged',
    });
  });

  it('fetch the certificate once for many messages', async () => {
    const http = tableClient({ [certUrl]: pem() });
    const clock = createVirtualClock('2022-07-28T21:30:00Z');
    const trust = { topicArn: topicOf(good), baseUrl: undefined };
    for (let count = 0; count < 3; count++) await verifyEnvelope(callbackOf(good), trust, { http, clock, log });
    expect(http.asked).toHaveLength(1);
  });

  it('are asked for again, not refused, while the certificate cannot be had', async () => {
    const clock = createVirtualClock('2022-07-28T21:30:00Z');
    const trust = { topicArn: topicOf(good), baseUrl: undefined };
    expect(await verifyEnvelope(callbackOf(good), trust, { http: tableClient({}), clock, log })).toMatchObject({
      kind: 'answer',
      status: 503,
    });
  });
});

const derived = readContract<{ requests: readonly { provider: string; id: string; body: string }[] }>(
  'derived/signed_webhook_requests.json',
);

describe.skipIf(derived === undefined)('messages signed with a test certificate', () => {
  const cases = (derived?.requests ?? []).filter((one) => one.provider === 'ses-sns');

  it.each(cases.map((one) => [one.id, one.body] as const))('%s', async (_id, body) => {
    const envelope = parseEnvelope(Buffer.from(body));
    const pem = readFileSync(contractFile('derived/sns_test_cert.pem') as string, 'utf8');
    const http = tableClient({ [envelope?.certificateUrl ?? '']: pem });
    const clock = createVirtualClock(envelope?.timestamp ?? '');
    const trust = { topicArn: envelope?.topicArn ?? '', baseUrl: undefined };
    const callback = { ...callbackOf({}), body: Buffer.from(body) };
    expect(await verifyEnvelope(callback, trust, { http, clock, log })).toMatchObject({ kind: 'genuine' });
  });
});

describe('addresses in an envelope', () => {
  it.each([
    'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abc.pem',
    'https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-0123abc.pem',
    'https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0123abc.pem',
  ])('%s is Amazon’s', (url) => expect(certificateUrl(envelopeWith(url), undefined)).toBe(url));

  it.each([
    'http://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abc.pem',
    'https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-0123abc.pem',
    'https://evil.example/sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abc.pem',
    'https://sns.us-east-1.amazonaws.com:8443/SimpleNotificationService-0123abc.pem',
    'https://sns.us-east-1.amazonaws.com@evil.example/SimpleNotificationService-0123abc.pem',
    'https://x@sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abc.pem',
    'https://s3.us-east-1.amazonaws.com/SimpleNotificationService-0123abc.pem',
    'https://sns.us-east-1.amazonaws.com/?Action=GetTopicAttributes&x=.pem',
    'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abc.pem?x=1',
    'https://sns.us-east-1.amazonaws.com/other.pem',
    'file:///etc/SimpleNotificationService-0123abc.pem',
    'nonsense',
  ])('%s is not', (url) => expect(certificateUrl(envelopeWith(url), undefined)).toBeUndefined());

  it('of an account with a base URL of its own lie below it', () => {
    const base = 'http://127.0.0.1:4000/workspace/sns';
    expect(isPinned(`${base}/SimpleNotificationService-1.pem`, base)?.href).toBe(
      `${base}/SimpleNotificationService-1.pem`,
    );
    expect(isPinned('http://127.0.0.1:4000/workspace/snsevil/x.pem', base)).toBeUndefined();
    expect(isPinned('http://127.0.0.1:4000/other/sns/x.pem', base)).toBeUndefined();
    expect(isPinned('http://127.0.0.1:4000/workspace/sns/../../x.pem', base)).toBeUndefined();
    expect(isPinned('https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem', base)).toBeUndefined();
  });
});

const lab = await createSnsAuthority(systemClock);

describe('a subscription', () => {
  const topicArn = 'arn:aws:sns:us-west-2:123456789012:parley';
  const base = 'http://127.0.0.1:4000/workspace/sns';
  const trust = { topicArn, baseUrl: base };
  const clock = createVirtualClock(systemClock.now().toString());
  const subscribeUrl = `${base}/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=t0ken`;
  const confirmation = (change: Record<string, string> = {}) =>
    lab.sign({
      Type: 'SubscriptionConfirmation',
      MessageId: 'm-1',
      Token: 't0ken',
      TopicArn: topicArn,
      Message: 'You have chosen to subscribe',
      SubscribeURL: subscribeUrl,
      Timestamp: clock.now().subtract({ minutes: 1 }).toString(),
      SigningCertURL: `${base}/${lab.certificateName}`,
      ...change,
    });
  const client = (table: Record<string, string> = { [subscribeUrl]: '<ok/>' }) =>
    tableClient({ [`${base}/${lab.certificateName}`]: lab.certificate, ...table });

  it('is confirmed by a call to the address in the message', async () => {
    const http = client();
    expect(await verifyEnvelope(callbackOf(confirmation()), trust, { http, clock, log })).toMatchObject({
      kind: 'answer',
      status: 200,
    });
    expect(http.asked.at(-1)).toMatchObject({ method: 'GET', url: subscribeUrl });
  });

  it('is asked for again when the call fails', async () => {
    const verdict = await verifyEnvelope(callbackOf(confirmation()), trust, { http: client({}), clock, log });
    expect(verdict).toMatchObject({ kind: 'answer', status: 503 });
  });

  it('calls nothing that is not the confirmation of that topic', async () => {
    for (const url of [
      'http://169.254.169.254/latest/meta-data',
      `${base}/?Action=Publish&TopicArn=${topicArn}&Token=t0ken`,
      `${base}/?Action=ConfirmSubscription&TopicArn=arn:other&Token=t0ken`,
      `${base}/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=other`,
    ]) {
      const http = client({ [url]: 'called' });
      const verdict = await verifyEnvelope(callbackOf(confirmation({ SubscribeURL: url })), trust, {
        http,
        clock,
        log,
      });
      expect(verdict).toMatchObject({ kind: 'forged' });
      expect(http.asked.map((call) => call.url)).not.toContain(url);
    }
  });

  it('that is ended is answered and told of', async () => {
    const told: unknown[] = [];
    const ended = confirmation({ Type: 'UnsubscribeConfirmation' });
    const deps = { http: client(), clock, log: { info: () => {}, warn: (fields: object) => told.push(fields) } };
    expect(await verifyEnvelope(callbackOf(ended), trust, deps)).toMatchObject({ kind: 'answer', status: 200 });
    expect(told).toEqual([{ topicArn }]);
  });
});

it('what is not an envelope is none', () => {
  for (const body of ['', 'x', 'null', '[]', '{}', '{"Type":"Other"}', '{"Type":"Notification","MessageId":1}'])
    expect(parseEnvelope(Buffer.from(body))).toBeUndefined();
  expect(isRecent('nonsense', Temporal.Instant.from('2026-11-21T10:00:00Z'))).toBe(false);
  expect(isRecent('2026-11-21T10:06:00Z', Temporal.Instant.from('2026-11-21T10:00:00Z'))).toBe(false);
});

function envelopeWith(certificate: string) {
  const envelope = parseEnvelope(
    Buffer.from(
      JSON.stringify({
        Type: 'Notification',
        MessageId: 'm',
        TopicArn: 't',
        Message: 'x',
        Timestamp: '2026-11-21T10:00:00Z',
        SignatureVersion: '1',
        Signature: '',
        SigningCertURL: certificate,
      }),
    ),
  );
  if (envelope === undefined) throw new Error('not an envelope');
  return envelope;
}
