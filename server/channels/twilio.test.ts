import { describe, expect, it } from 'vitest';
import type { Callback, ErrorCategory } from './port.ts';
import { twilioErrors } from './twilio-errors.rules.ts';
import { isTwilioSigned, parseForm, twilioResult, twilioSignature, twilioStatuses } from './twilio.rules.ts';
import { verifyTwilio } from './twilio.ts';
import { readContract } from './testing-spec.ts';

interface Vector {
  readonly id: string;
  readonly url: string;
  readonly params?: Readonly<Record<string, string | readonly string[]>>;
  readonly rawBody?: string;
  readonly signature: string | null;
  readonly valid: boolean;
  readonly authToken: string;
}

const vectors = readContract<{ vectors: readonly Vector[] }>('signatures/twilio_x_twilio_signature.json')?.vectors;

function callbackOf(one: Vector): Callback {
  const form = Object.entries(one.params ?? {}).flatMap(([name, value]) =>
    [value].flat().map((each) => [name, each] as [string, string]),
  );
  return {
    method: 'POST',
    url: one.url,
    headers: {
      'content-type':
        one.rawBody === undefined ? 'application/x-www-form-urlencoded; charset=UTF-8' : 'application/json',
      ...(one.signature === null ? {} : { 'x-twilio-signature': one.signature }),
    },
    body: Buffer.from(one.rawBody ?? new URLSearchParams(form).toString()),
  };
}

describe.skipIf(vectors === undefined)('the signatures of Twilio’s own tests', () => {
  it.each((vectors ?? []).map((one) => [one.id, one] as const))('%s', (_id, one) => {
    expect(isTwilioSigned(one.authToken, callbackOf(one))).toBe(one.valid);
  });
});

describe('a signature', () => {
  const url = 'https://parley.example/api/v1/callbacks/twilio/1?message=2';
  const body = Buffer.from('MessageSid=SM1&MessageStatus=sent&Body=caf%C3%A9+%2B');
  const signed = (change: Partial<Callback> = {}): Callback => ({
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': twilioSignature('secret', url, parseForm(body)),
    },
    body,
    ...change,
  });

  it('covers address and fields, in whatever order they came', () => {
    expect(isTwilioSigned('secret', signed())).toBe(true);
    expect(
      isTwilioSigned('secret', signed({ body: Buffer.from('Body=caf%C3%A9+%2B&MessageStatus=sent&MessageSid=SM1') })),
    ).toBe(true);
    expect(isTwilioSigned('secret', signed({ body: Buffer.from('MessageSid=SM1&MessageStatus=failed&Body=x') }))).toBe(
      false,
    );
    expect(isTwilioSigned('secret', signed({ url: `${url}3` }))).toBe(false);
    expect(isTwilioSigned('other', signed())).toBe(false);
  });

  it('does not cover a body of another type: nothing of it is believed', () => {
    const json = Buffer.from('{"MessageStatus":"delivered"}');
    const headers = {
      'content-type': 'application/json',
      'x-twilio-signature': twilioSignature('secret', url, new Map()),
    };
    expect(isTwilioSigned('secret', signed({ headers, body: json }))).toBe(false);
    expect(isTwilioSigned('secret', signed({ headers, body: Buffer.alloc(0) }))).toBe(true);
  });

  it('is never made with an empty key', () => {
    const headers = { 'x-twilio-signature': twilioSignature('', url, parseForm(body)) };
    expect(isTwilioSigned('', signed({ headers }))).toBe(false);
    expect(verifyTwilio({}, signed())).toEqual({ kind: 'forged', reason: 'the account has no auth token' });
  });
});

interface Errors {
  readonly codes: readonly { code: number; class: string }[];
  readonly messageStatuses: { values: readonly string[] };
}

const errors = readContract<Errors>('errors/twilio.json');

/** What each class of the collected codes may become. */
const categories: Readonly<Record<string, readonly ErrorCategory[]>> = {
  suppress: ['address'],
  permanent: ['content'],
  transient: ['transient', 'provider-down'],
  throttle: ['throttled'],
  config: ['content', 'account'],
  window: ['content'],
};

describe.skipIf(errors === undefined)('the codes of Twilio', () => {
  it.each((errors?.codes ?? []).map((one) => [one.code, one.class] as const))('%i is of class %s', (code, group) => {
    expect(categories[group]).toContain(twilioErrors[String(code)]?.category);
  });

  it('and its statuses are all known, but for those of inbound messages', () => {
    const inbound = ['receiving', 'received'];
    expect(Object.keys(twilioStatuses).toSorted()).toEqual(
      (errors?.messageStatuses.values ?? []).filter((one) => !inbound.includes(one)).toSorted(),
    );
  });
});

describe('what Twilio answers', () => {
  const sid = `SM${'0'.repeat(32)}`;
  const result = (status: number, body: object | string, afterMs?: number) =>
    twilioResult(twilioErrors, {
      status,
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      afterMs,
      addresses: ['+15005550001'],
    });

  it('is its id for a message it took', () => {
    expect(result(201, { sid, status: 'queued', error_code: null })).toEqual({
      kind: 'accepted',
      ref: sid,
      detail: 'queued',
    });
  });

  it('is a code, and a reason in which the number is masked', () => {
    expect(result(400, { code: 21211, message: "Invalid 'To' Phone Number: +15005550001", status: 400 })).toEqual({
      kind: 'refused',
      category: 'address',
      code: '21211',
      reason: "Invalid 'To' Phone Number: •••••001",
      permanent: true,
    });
    expect(result(429, { code: 20429, message: 'Too Many Requests' }, 7000)).toMatchObject({
      kind: 'retry',
      category: 'throttled',
      afterMs: 7000,
    });
  });

  it('is judged by its status where it has no code that is known', () => {
    expect(result(429, 'slow down', 7000)).toMatchObject({ kind: 'retry', category: 'throttled', afterMs: 7000 });
    expect(result(503, '<html>')).toMatchObject({ kind: 'retry', category: 'provider-down' });
    expect(result(400, { code: 29999, message: 'new' })).toMatchObject({
      kind: 'refused',
      category: 'content',
      code: '29999',
    });
  });

  it('leaves the message in doubt where a success cannot be read', () => {
    for (const body of ['', '<html>', '[]', 'null', { sid: 'x' }, { status: 'queued' }])
      expect(result(201, body)).toMatchObject({ kind: 'unknown', code: 'malformed' });
  });

  it('tells a message that failed as it was made', () => {
    expect(result(201, { sid, status: 'failed', error_code: 30006, error_message: 'Landline' })).toMatchObject({
      kind: 'refused',
      category: 'address',
      code: '30006',
    });
  });
});
