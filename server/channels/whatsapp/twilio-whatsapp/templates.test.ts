import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../platform/clock.ts';
import { readContract } from '../../testing-spec.ts';
import { providerDeps } from '../../testing.ts';
import { fieldsOf, objectsAt } from '../json.rules.ts';
import type { Fields } from '../json.rules.ts';
import type { Playing } from '../testing.ts';
import type { TwilioWhatsAppAccount } from './send.ts';
import { readContent } from './templates.rules.ts';
import { listTemplates } from './templates.ts';
import { contract, twilioError } from './testing.ts';

const sid = (digit: string) => `HX${digit.repeat(32)}`;
const content = (types: object, approval: object = {}) =>
  readContent({
    sid: sid('a'),
    friendly_name: 'Friendly',
    language: 'en',
    types,
    approval_requests: {
      name: 'approved_name',
      status: 'approved',
      category: 'UTILITY',
      rejection_reason: '',
      ...approval,
    },
  });

/** The examples of Twilio's own specification. */
function examples(): readonly Fields[] {
  const spec = fieldsOf(readContract('specs/twilio/twilio_content_v1.json'));
  const path = [
    'paths',
    '/v1/ContentAndApprovals',
    'get',
    'responses',
    '200',
    'content',
    'application/json',
    'examples',
    'readResults',
    'value',
  ];
  const value = path.reduce<Fields | undefined>((at, key) => fieldsOf(at?.[key]), spec);
  return objectsAt(value, 'contents');
}

describe('a Content template', () => {
  it.skipIf(examples().length === 0)('of Twilio’s own examples can be read', () => {
    const read = examples().map(readContent);
    expect(read).not.toContain(undefined);
    expect(read.find((one) => one?.name === 'Media Test')).toMatchObject({
      id: 'HX5fcd48a417c1cb59da349ad6d5da4607',
      status: 'APPROVED',
      category: 'utility',
      header: { kind: 'image' },
      variables: { header: 0, body: 2, buttons: [] },
    });
  });

  it('numbers its places together: one that has stood before needs no value again', () => {
    const card = {
      header_text: 'Hi {{1}}',
      body: '{{1}}, see {{2}} and {{3}}',
      footer: 'Bye',
      actions: [
        { type: 'URL', title: 'See', url: 'https://shop.example/{{4}}' },
        { type: 'URL', title: 'More', url: 'https://shop.example/{{2}}' },
        { type: 'PHONE_NUMBER', title: 'Call', phone: '+16505551234' },
        { type: 'QUICK_REPLY', title: 'Stop', id: 'stop' },
      ],
    };
    expect(content({ 'whatsapp/card': card, 'twilio/text': { body: 'x' } }, { content_type: 'whatsapp/card' })).toEqual(
      {
        id: sid('a'),
        name: 'approved_name',
        language: 'en',
        status: 'APPROVED',
        category: 'utility',
        header: { kind: 'text', text: 'Hi {{1}}' },
        body: '{{1}}, see {{2}} and {{3}}',
        footer: 'Bye',
        buttons: [
          { kind: 'url', text: 'See', url: 'https://shop.example/{{4}}' },
          { kind: 'url', text: 'More', url: 'https://shop.example/{{2}}' },
          { kind: 'phone', text: 'Call' },
          { kind: 'quick-reply', text: 'Stop' },
        ],
        variables: { header: 1, body: 2, buttons: [1, 0, 0, 0] },
      },
    );
  });

  it('of one-time codes wants the code once', () => {
    const code = { actions: [{ type: 'COPY_CODE', copy_code_text: 'Copy' }], add_security_recommendation: true };
    expect(content({ 'whatsapp/authentication': code }, { category: 'AUTHENTICATION' })).toMatchObject({
      category: 'authentication',
      buttons: [{ kind: 'copy-code', text: 'Copy' }],
      variables: { header: 0, body: 1, buttons: [0] },
    });
  });

  it('has media in its header, which may vary', () => {
    const media = (url: string) => content({ 'twilio/media': { body: 'x', media: [url] } });
    expect(media('https://cdn.example/{{1}}.mp4')).toMatchObject({
      header: { kind: 'video' },
      variables: { header: 1 },
    });
    expect(media('https://cdn.example/a.pdf?x=1')).toMatchObject({ header: { kind: 'document' } });
  });

  it('without an id, a language, or any form is none', () => {
    expect(content({})).toBeUndefined();
    expect(readContent({ types: { 'twilio/text': { body: 'x' } } })).toBeUndefined();
    expect(content({ 'twilio/text': { body: 'x' } }, { status: 'rejected', rejection_reason: 'Spam' })).toMatchObject({
      status: 'REJECTED',
      reason: 'Spam',
    });
  });
});

describe('the list of Content templates', () => {
  let vendor: Playing;
  beforeAll(async () => {
    vendor = (await contract.start()) as Playing;
  });
  afterEach(() => vendor.plays('accept'));
  afterAll(() => vendor.close());
  const list = () => listTemplates(vendor.account() as TwilioWhatsAppAccount, vendor.deps(providerDeps(systemClock)));
  const page = (digit: string, next?: string) => ({
    status: 200,
    body: {
      contents: [{ sid: sid(digit), friendly_name: digit, language: 'en', types: { 'twilio/text': { body: 'x' } } }],
      meta: { page: 0, next_page_url: next ?? null },
    },
  });

  it('is read to its end, asked where the first page was, and signed in', async () => {
    const from = vendor.requests.length;
    const next = 'https://elsewhere.example/v1/ContentAndApprovals?PageSize=500&Page=1&PageToken=DNHX2';
    vendor.answers(({ path }) => (path.includes('PageToken') ? page('b') : page('a', next)));
    expect(await list()).toMatchObject({
      kind: 'listed',
      templates: [{ id: sid('a'), status: 'UNSUBMITTED' }, { id: sid('b') }],
    });
    const asked = vendor.requests.slice(from);
    expect(asked.map(({ path }) => path)).toEqual([
      '/v1/ContentAndApprovals?PageSize=500',
      '/v1/ContentAndApprovals?PageSize=500&Page=1&PageToken=DNHX2',
    ]);
    expect(asked.every(({ headers }) => headers['authorization']?.toString().startsWith('Basic ') === true)).toBe(true);
  });

  it('is never a part of it: a page that fails fails the whole', async () => {
    vendor.answers(() => twilioError(401, 20003, 'Authenticate'));
    expect(await list()).toEqual({ kind: 'failed', code: '20003', reason: 'Authenticate' });
    vendor.answers(() => ({ status: 200, body: '<html>' }));
    expect(await list()).toMatchObject({ kind: 'failed', code: 'malformed' });
    vendor.plays('hang-up');
    expect(await list()).toMatchObject({ kind: 'failed', code: 'connection-lost' });
  });
});
