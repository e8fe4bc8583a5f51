import { describe, expect, it } from 'vitest';
import type { Callback, ErrorCategory } from '../../port.ts';
import { readContract } from '../../testing-spec.ts';
import { errorOf, failureCode, mailgunErrors, readRefusal } from './errors.rules.ts';
import { isSignedBy, mailgunReceipts, readData } from './receipts.ts';

/** What Mailgun's own vectors, payloads and tables say, against what Parley makes of them. */

const classes: Record<string, readonly ErrorCategory[]> = {
  config: ['account', 'content'],
  permanent: ['content'],
  suppress: ['address'],
  transient: ['transient', 'provider-down'],
  throttle: ['throttled'],
};

interface Errors {
  http: { status: number; class: string }[];
  sendMessages400: string[];
  events: { event: string; severity: string | null; reason: string | null; class: string }[];
  mailgunCodes: { code: number; class: string }[];
}
const errors = readContract<Errors>('errors/mailgun.json');

describe.skipIf(errors === undefined)('Mailgun’s table of errors', () => {
  it('has a place for every status', () => {
    for (const { status, class: kind } of errors?.http ?? []) {
      if (kind === 'success') continue;
      // The table has them as transient; a gateway does not know what became of the request, so it is doubt.
      const wanted = status === 502 || status === 504 ? ['unknown'] : classes[kind];
      expect(wanted, String(status)).toContain(mailgunErrors[String(status)]?.category);
    }
  });

  it('has a place for every failure', () => {
    for (const { event, severity, reason, class: kind } of errors?.events ?? []) {
      if (event !== 'failed') continue;
      const code = failureCode(severity ?? '', reason ?? '', {});
      expect(code).toBe(`${severity}/${reason}`);
      expect(classes[kind], code).toContain(errorOf(code)?.category);
    }
    expect(errorOf('rejected')?.category).toBe('content');
    for (const { code, class: kind } of errors?.mailgunCodes ?? [])
      expect(classes[kind]).toContain(errorOf(failureCode('permanent', 'generic', { code: String(code) }))?.category);
  });

  it('tells an address from the rest of what is wrong with a request', () => {
    const codes = (errors?.sendMessages400 ?? []).map(
      (message) => readRefusal(400, Buffer.from(JSON.stringify({ message })))?.code,
    );
    expect(codes.filter((code) => code === '400/to')).toHaveLength(1);
    expect(codes.filter((code) => code === '400/from')).toHaveLength(1);
    expect(codes.filter((code) => code === '400')).toHaveLength(codes.length - 2);
  });
});

interface Vector {
  id: string;
  signingKey: string;
  timestamp: string;
  token: string;
  signature: string;
  valid: boolean;
}
const vectors = readContract<{ vectors: Vector[] }>('signatures/mailgun_webhook.json')?.vectors ?? [];

it.skipIf(vectors.length === 0).each(vectors.map((vector) => [vector.id, vector] as const))(
  'judges the signature of %s as Mailgun does',
  (_id, { signingKey, timestamp, token, signature, valid }) => {
    expect(isSignedBy(signingKey, timestamp, token, signature)).toBe(valid);
    expect(isSignedBy(signingKey, timestamp, token, signature.slice(1))).toBe(false);
  },
);

interface Derived {
  provider: string;
  id: string;
  key: string;
  body: string;
}
const derived = (readContract<{ requests: Derived[] }>('derived/signed_webhook_requests.json')?.requests ?? []).filter(
  ({ provider }) => provider === 'mailgun',
);

it.skipIf(derived.length === 0).each(derived.map((request) => [request.id, request] as const))(
  '%s is genuine and can be read',
  (_id, { key, body }) => {
    const { signature } = JSON.parse(body) as { signature: { timestamp: string; token: string; signature: string } };
    expect(isSignedBy(key, signature.timestamp, signature.token, signature.signature)).toBe(true);
    expect(isSignedBy(`${key}0`, signature.timestamp, signature.token, signature.signature)).toBe(false);
    const { receipts, news } = mailgunReceipts.read(callback(body));
    // Only the sample without message or time has nothing to read.
    const isBare = !('message' in (JSON.parse(body) as { 'event-data': object })['event-data']);
    expect([receipts.length, news.length]).toEqual(isBare ? [0, 1] : [1, 0]);
  },
);

function callback(body: string): Callback {
  return { method: 'POST', url: 'https://parley.example/', headers: {}, body: Buffer.from(body) };
}

const samples =
  readContract<{ samples: { id: string; payload: Record<string, unknown> }[] }>('payloads/mailgun/events.json')
    ?.samples ?? [];

describe.skipIf(samples.length === 0)('Mailgun’s payloads', () => {
  const read = (id: string) => readData(samples.find((sample) => sample.id === id)?.payload ?? {}).receipts?.[0];

  it('are read kind by kind', () => {
    expect(Object.fromEntries(samples.map(({ id }) => [id, read(id)?.kind]))).toEqual({
      accepted: 'accepted',
      'accepted-(routed)': 'accepted',
      delivered: 'delivered',
      'failed-(permanent)': 'failed',
      'failed-(temporary)': 'deferred',
      opened: 'opened',
      unsubscribed: 'unsubscribed',
      complained: 'complained',
      rejected: 'failed',
    });
  });

  it('tell what is on a list from what was tried, and for now from for good', () => {
    expect(read('failed-(permanent)')).toMatchObject({
      category: 'address',
      code: '605',
      key: 'failed:pl271FzxTTmGRW8Uj3dUWw',
    });
    expect(read('failed-(temporary)')).toMatchObject({
      kind: 'deferred',
      code: '4.7.652',
      at: '2022-10-06T14:28:43.872Z',
    });
    expect(read('rejected')).toMatchObject({ category: 'content', code: 'rejected' });
    expect(read('delivered')?.ref).toBe('20180622182958.1.48906CB188F1A454@exmple.org');
  });
});

describe('an event', () => {
  const id = '0198c1d2-0000-7000-8000-000000000001';
  const base = {
    event: 'clicked',
    id: 'e1',
    timestamp: 1_700_000_000.5,
    recipient: 'ada@example.com',
    url: 'https://a.example/',
    'user-variables': { 'parley-id': id },
    'client-info': { bot: '' },
  };

  it('names our message and where the click led; a bot is marked', () => {
    expect(readData(base).receipts).toEqual([
      { kind: 'clicked', key: 'clicked:e1', messageId: id, at: '2023-11-14T22:13:20.5Z', url: 'https://a.example/' },
    ]);
    expect(readData({ ...base, 'client-info': { bot: 'apple' } }).receipts?.[0]).toMatchObject({ isMachine: true });
  });

  it.each([
    [
      { reason: 'generic', 'delivery-status': { code: 550, message: '5.1.1 no such user ada@example.com' } },
      'bounced',
      'address',
      '5.1.1',
    ],
    [{ reason: 'generic', 'delivery-status': { code: 550, 'bounce-type': 'hard' } }, 'bounced', 'address', '550'],
    [{ reason: 'generic', 'delivery-status': { code: 554, message: 'spam' } }, 'bounced', 'content', '554'],
    [{ reason: 'something-new', 'delivery-status': null }, 'bounced', 'content', 'permanent/unknown'],
    [{ reason: 'suppress-complaint' }, 'failed', 'address', 'permanent/suppress-complaint'],
  ])('failed for good with %j', (part, kind, category, code) => {
    const receipt = readData({ ...base, event: 'failed', severity: 'permanent', ...part }).receipts?.[0];
    expect(receipt).toMatchObject({ kind, category, code });
    expect(JSON.stringify(receipt)).not.toContain('ada@');
  });

  it.each([['list_member_uploaded'], ['stored'], [7]])('of another kind (%s) is named, not guessed', (event) => {
    expect(readData({ ...base, event })).toEqual({ isUnreadable: true });
  });
});
