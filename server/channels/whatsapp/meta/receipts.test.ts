import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Callback, Told } from '../../port.ts';
import { contractFile, readContract } from '../../testing-spec.ts';
import { judge } from './receipts.ts';
import { readCallback } from './receipts.rules.ts';

const url = 'https://parley.example/api/v1/callbacks/meta/0198c1d2-0000-7000-8000-00000000000b';
const secrets = { appSecret: 'app-secret', verifyToken: 'verify-me' };

function posted(body: string | object, headers: Record<string, string> = {}): Callback {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { method: 'POST', url, headers, body: Buffer.from(text) };
}

const sign = (secret: string, body: string) => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

interface Requests {
  requests: { provider: string; id: string; key: string; body: string; headers: Record<string, string> }[];
}
const requests = (readContract<Requests>('derived/signed_webhook_requests.json')?.requests ?? []).filter(
  (one) => one.provider === 'meta',
);
const toldOf = (id: string): Told => readCallback(posted(requests.find((one) => one.id === id)?.body ?? ''));
const nothing: Told = { receipts: [], inbound: [], news: [] };

interface Vectors {
  vectors: { id: string; secret: string; rawBody: string; header: string; valid: boolean }[];
}

describe.skipIf(contractFile('signatures/x_hub_signature_256.json') === undefined)('signatures', () => {
  const vectors = readContract<Vectors>('signatures/x_hub_signature_256.json')?.vectors ?? [];

  it.each(vectors)('$id is judged as published', ({ secret, rawBody, header, valid }) => {
    const verdict = judge({ appSecret: secret }, posted(rawBody, { 'x-hub-signature-256': header }));
    expect(verdict.kind).toBe(valid ? 'genuine' : 'forged');
  });

  it.each(requests)('$id is genuine, and forged when one byte is another', ({ key, body, headers }) => {
    const signed = { 'x-hub-signature-256': headers['X-Hub-Signature-256'] ?? '' };
    expect(judge({ appSecret: key }, posted(body, signed))).toEqual({ kind: 'genuine' });
    expect(judge({ appSecret: key }, posted(`${body} `, signed)).kind).toBe('forged');
    expect(judge({ appSecret: `${key}0` }, posted(body, signed)).kind).toBe('forged');
  });
});

describe('a callback', () => {
  it('is forged without a signature, with half of one, and for an account without the secret', () => {
    const whole = sign(secrets.appSecret, '{}');
    expect(judge(secrets, posted('{}')).kind).toBe('forged');
    expect(judge(secrets, posted('{}', { 'x-hub-signature-256': whole.slice(0, 40) })).kind).toBe('forged');
    expect(judge(secrets, posted('{}', { 'x-hub-signature-256': whole.slice(7) })).kind).toBe('forged');
    expect(judge({}, posted('{}', { 'x-hub-signature-256': sign('', '{}') })).kind).toBe('forged');
    expect(judge(secrets, posted('{}', { 'x-hub-signature-256': whole })).kind).toBe('genuine');
  });

  const challenge = (query: string) =>
    judge(secrets, { method: 'GET', url: `${url}?${query}`, headers: {}, body: Buffer.alloc(0) });

  it('of Meta asking for the verify token is answered with its challenge', () => {
    expect(challenge('hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-me')).toEqual({
      kind: 'answer',
      status: 200,
      contentType: 'text/plain; charset=utf-8',
      body: '1158201444',
    });
  });

  it.each([
    'hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-you',
    'hub.mode=subscribe&hub.challenge=1158201444',
    'hub.mode=unsubscribe&hub.challenge=1158201444&hub.verify_token=verify-me',
    'hub.mode=subscribe&hub.verify_token=verify-me',
    'hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=verify-me',
    '',
  ])('is forged that asks with %s', (query) => {
    expect(challenge(query).kind).toBe('forged');
  });
});

describe.skipIf(requests.length === 0)('what statuses say', () => {
  it.each([
    ['sent', '2023-10-25T20:49:05Z'],
    ['delivered', '2023-10-25T20:49:05Z'],
    ['read', '2023-07-15T00:20:58Z'],
  ])('%s', (kind, at) => {
    expect(toldOf(`meta-message_status-${kind}`)).toEqual({
      ...nothing,
      receipts: [
        {
          kind,
          key: `wamid.xyzxyz:${kind}`,
          ref: 'wamid.xyzxyz',
          at,
          pricing: { category: 'service', isBillable: true, conversationId: '7270432eae37498234f4444b35ffc5' },
        },
      ],
    });
  });

  it('failed, with the code and its category', () => {
    expect(toldOf('meta-message_status-failed').receipts).toEqual([
      {
        kind: 'failed',
        key: 'wamid.xyzxyz:failed',
        ref: 'wamid.xyzxyz',
        at: '2023-07-15T00:20:58Z',
        category: 'content',
        code: '130472',
        reason:
          "User's number is part of an experiment: Failed to send message because this user's phone number is part of an experiment",
      },
    ]);
  });
});

describe.skipIf(requests.length === 0)('what people write', () => {
  const one = (id: string) => {
    const { receipts, inbound, news } = toldOf(id);
    expect([receipts.length, inbound.length, news.length]).toEqual([0, 1, 0]);
    return inbound[0];
  };
  const frame = { channel: 'whatsapp', from: '+16505551234', to: '+15550783881', name: 'Sheena Nelson' };

  it('is a text', () => {
    expect(one('meta-Text Message')).toEqual({
      ...frame,
      key: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=',
      at: '2025-06-08T20:59:43Z',
      text: 'Does it come in another color?',
    });
    expect(one('meta-Text Message from Click to WhatsApp Ad')?.text).toBe('Hello! Can I get more info on this?');
  });

  it.each(["meta-inbound-'STOP'", "meta-inbound-'stop'", "meta-inbound-'Stop '", "meta-inbound-'UNSUBSCRIBE'"])(
    'is a wish to stop: %s',
    (id) => {
      expect(one(id)).toMatchObject({ ...frame, keyword: 'stop' });
    },
  );

  it('is a button, with what it carries and which message it answers', () => {
    expect(one('meta-Button Message')).toMatchObject({
      ...frame,
      text: 'Unsubscribe',
      payload: 'Unsubscribe',
      keyword: 'stop',
      inReplyTo: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJFNjk2OTMwNEZCQjhGMzUyQUYA',
    });
  });

  it('is a choice of a list', () => {
    const choice = one('meta-Interactive List Reply Message');
    expect(choice).toMatchObject({ ...frame, text: 'Priority Mail Express', payload: 'priority_express' });
    expect(choice).not.toHaveProperty('keyword');
  });

  it('is a picture, a reaction, an order, and something Meta cannot read', () => {
    expect(one('meta-Image Message')).toMatchObject({
      ...frame,
      text: 'Taj Mahal',
      media: [{ url: 'https://graph.facebook.com/v23.0/1003383421387256', contentType: 'image/jpeg' }],
    });
    expect(one('meta-Reaction Message')).toMatchObject({
      text: '👍',
      inReplyTo: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI0RTJEOTc2ODVERUY5RDlGNkYA',
    });
    expect(one('meta-Order Message')?.text).toBe('2 × di9ozbzfi4 (30 USD)\n1 × nqryix03ez (25 USD)');
    expect(one('meta-Unsupported Message')).toMatchObject({ ...frame, text: '' });
  });
});

describe('other things that people send', () => {
  const read = (message: object) =>
    readCallback(
      envelope('messages', {
        metadata: { display_phone_number: '15550783881', phone_number_id: '1' },
        messages: [{ from: '16505551234', id: 'wamid.1', timestamp: '1749416383', ...message }],
      }),
    );

  it('are a place, a card, and a form that was filled in', () => {
    const place = { latitude: 37.758056, longitude: -122.425332, name: 'META HQ', address: '1 Hacker Way' };
    expect(read({ type: 'location', location: place }).inbound[0]?.text).toBe(
      'META HQ, 1 Hacker Way (37.758056, -122.425332)',
    );
    const card = { name: { formatted_name: 'John Smith' }, phones: [{ phone: '+1 (940) 555-1234' }] };
    expect(read({ type: 'contacts', contacts: [card] }).inbound[0]?.text).toBe('John Smith +1 (940) 555-1234');
    const form = { type: 'nfm_reply', nfm_reply: { name: 'flow', body: 'Sent', response_json: '{"a":1}' } };
    expect(read({ type: 'interactive', interactive: form }).inbound[0]).toMatchObject({
      text: 'Sent',
      payload: '{"a":1}',
    });
    const pressed = { type: 'button_reply', button_reply: { id: 'no', title: 'Cancel' } };
    expect(read({ type: 'interactive', interactive: pressed }).inbound[0]).not.toHaveProperty('keyword');
  });

  it('are a new number, which is news of the contact', () => {
    const told = read({ type: 'system', system: { type: 'user_changed_number', wa_id: '16505559999' } });
    expect(told.inbound).toEqual([]);
    expect(told.news).toEqual([
      {
        key: 'wamid.1',
        kind: 'number-changed',
        at: '2025-06-08T20:59:43Z',
        about: '+16505551234',
        data: { to: '•••••999' },
      },
    ]);
  });

  it('are named unreadable where they come without a number', () => {
    const told = read({ from: 'US.13491208655302741918', type: 'text', text: { body: 'Hello' } });
    expect(told.inbound).toEqual([]);
    expect(told.news).toEqual([expect.objectContaining({ kind: 'unreadable', data: {} })]);
  });
});

describe.skipIf(requests.length === 0)('news of the account', () => {
  const one = (id: string) => {
    const { receipts, inbound, news } = toldOf(id);
    expect([receipts.length, inbound.length, news.length]).toEqual([0, 0, 1]);
    return news[0];
  };

  it('names the person it is about beside its data, which goes into the event log', () => {
    const news = one('meta-user_marketing_preferences-resume');
    expect(news?.about).toBe('+16505551234');
    expect(JSON.stringify(news?.data)).not.toContain('6505551234');
  });

  it.each([
    [
      'meta-template_status_update-approved',
      'template-status',
      {
        name: 'order_confirmation',
        language: 'en_US',
        status: 'APPROVED',
        category: 'utility',
        templateId: '1689556908129832',
      },
    ],
    [
      'meta-template_quality_update-yellow',
      'template-quality',
      { name: 'welcome_template', quality: 'yellow', previous: 'green' },
    ],
    [
      'meta-template_category_update-marketing',
      'template-category',
      { name: 'my_message_template', category: 'marketing' },
    ],
    ['meta-user_marketing_preferences-resume', 'marketing-preference', { wish: 'resume' }],
    ['meta-account_update-account_deleted', 'account-restricted', { event: 'ACCOUNT_DELETED' }],
    [
      'meta-account_update-account_restriction',
      'account-restricted',
      {
        event: 'ACCOUNT_RESTRICTION',
        restrictions: [
          { type: 'RESTRICTED_BIZ_INITIATED_MESSAGING', until: '2022-01-04T21:08:18Z' },
          { type: 'RESTRICTED_ADD_PHONE_NUMBER_ACTION', until: '2022-01-04T21:08:18Z' },
        ],
      },
    ],
    ['meta-Group Create Message', 'group-lifecycle-update', {}],
  ])('%s', (id, kind, data) => {
    expect(one(id)).toMatchObject({ kind, data });
    expect(one(id)?.key).toBe(one(id)?.key);
  });
});

function envelope(field: string, value: object, time = 1751247548): Callback {
  return posted({ object: 'whatsapp_business_account', entry: [{ id: '1', time, changes: [{ field, value }] }] });
}

describe('limits and quality', () => {
  it.each([
    ['phone_number_quality_update', { event: 'UPGRADE', current_limit: 'TIER_10K' }, 'tier', { limit: 10_000 }],
    [
      'phone_number_quality_update',
      { event: 'FLAGGED', current_limit: 'TIER_1K' },
      'quality',
      { event: 'FLAGGED', limit: 1000 },
    ],
    ['phone_number_quality_update', { event: 'THROUGHPUT_UPGRADE' }, 'throughput', { event: 'THROUGHPUT_UPGRADE' }],
    ['business_capability_update', { max_daily_conversations_per_business: 2000 }, 'tier', { limit: 2000 }],
    ['business_capability_update', { max_daily_conversation_per_phone: -1 }, 'tier', { limit: null }],
    ['account_update', { event: 'VERIFIED_ACCOUNT' }, 'account', { event: 'VERIFIED_ACCOUNT' }],
    [
      'message_template_status_update',
      { event: 'PAUSED', message_template_name: 'x' },
      'template-status',
      { status: 'PAUSED' },
    ],
    ['some_new_field', { what: 'new', inside: {} }, 'some-new-field', { what: 'new', businessAccountId: '1' }],
  ])('%s %o', (field, value, kind, data) => {
    expect(readCallback(envelope(field, value)).news).toEqual([
      {
        key: expect.stringContaining(field) as string,
        kind,
        at: '2025-06-30T01:39:08Z',
        data: expect.objectContaining(data) as object,
      },
    ]);
  });

  it('are the same news when they are told again, and others when they come later', () => {
    const key = (time: number) => readCallback(envelope('account_update', { event: 'X' }, time)).news[0]?.key;
    expect(key(1)).toBe(key(1));
    expect(key(1)).not.toBe(key(2));
  });
});

describe('one request', () => {
  const messageId = '0198c1d2-0000-7000-8000-000000000001';
  const status = (kind: string, change: object = {}) => ({
    id: 'wamid.A',
    status: kind,
    timestamp: '1749416383',
    recipient_id: '16505551234',
    biz_opaque_callback_data: messageId,
    ...change,
  });

  it('may hold several entries, changes, statuses and messages in any order', () => {
    const told = readCallback(
      posted({
        entry: [
          { id: '1', changes: [{ field: 'messages', value: { statuses: [status('read'), status('sent')] } }] },
          {
            id: '2',
            changes: [
              { field: 'messages', value: { statuses: [status('delivered'), status('whatever')] } },
              { field: 'account_update', value: { event: 'X' } },
            ],
          },
        ],
      }),
    );
    expect(told.receipts.map(({ kind, key }) => [kind, key])).toEqual([
      ['read', 'wamid.A:read'],
      ['sent', 'wamid.A:sent'],
      ['delivered', 'wamid.A:delivered'],
    ]);
    expect(told.receipts.every((receipt) => receipt.messageId === messageId)).toBe(true);
    expect(told.news.map(({ kind }) => kind)).toEqual(['unreadable', 'account']);
  });

  it('carries our id only where it is one of ours', () => {
    const told = readCallback(
      envelope('messages', { statuses: [status('sent', { biz_opaque_callback_data: 'order 42' })] }),
    );
    expect(told.receipts[0]).toMatchObject({ ref: 'wamid.A' });
    expect(told.receipts[0]).not.toHaveProperty('messageId');
  });

  it('masks the number in what Meta says went wrong, and knows no code as unknown', () => {
    const errors = [
      { code: 131026, title: 'Message undeliverable', error_data: { details: 'No account for 16505551234' } },
    ];
    expect(readCallback(envelope('messages', { statuses: [status('failed', { errors })] })).receipts[0]).toMatchObject({
      category: 'address',
      code: '131026',
      reason: 'Message undeliverable: No account for •••••234',
    });
    const strange = [{ code: 999999, title: 'Something new' }];
    expect(
      readCallback(envelope('messages', { statuses: [status('failed', { errors: strange })] })).receipts[0],
    ).toMatchObject({
      category: 'unknown',
      code: '999999',
    });
    expect(readCallback(envelope('messages', { statuses: [status('failed')] })).receipts[0]).toMatchObject({
      category: 'unknown',
    });
  });

  it('tells of errors outside of any message', () => {
    const told = readCallback(envelope('messages', { errors: [{ code: 130429, title: 'Rate limit hit' }] }));
    expect(told.news).toEqual([
      expect.objectContaining({ kind: 'error', data: { code: '130429', reason: 'Rate limit hit' } }),
    ]);
  });

  it('is placed at the time it came where Meta tells none, under a key that does not depend on it', () => {
    const change = { field: 'account_update', value: { event: 'X' } };
    const body = { entry: [{ id: '1', changes: [change] }] };
    const read = (receivedAt: string) => readCallback({ ...posted(body), receivedAt }).news[0];
    expect(read('2026-03-01T00:00:00Z')?.at).toBe('2026-03-01T00:00:00Z');
    expect(read('2026-03-01T00:00:00Z')?.key).toBe(read('2026-03-02T00:00:00Z')?.key);
    expect(readCallback(posted(body)).news[0]?.at).toBe('1970-01-01T00:00:00Z');
  });

  it('is never too strange to be read, and says the same when read again', () => {
    const strange = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => `{"entry":[{"changes":[{"field":"messages","value":${json}}]}]}`),
    );
    fc.assert(
      fc.property(strange, (body) => {
        expect(readCallback(posted(body))).toEqual(readCallback(posted(body)));
      }),
    );
    expect(readCallback(posted('not json')).news).toEqual([expect.objectContaining({ kind: 'unreadable' })]);
    expect(readCallback(posted('{"entry":[{"changes":[{"field":"messages"}]}]}')).news[0]?.kind).toBe('unreadable');
    expect(readCallback({ ...posted(''), method: 'GET' })).toEqual(nothing);
  });
});
