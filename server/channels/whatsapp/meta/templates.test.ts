import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../platform/clock.ts';
import { contractFile, readContract } from '../../testing-spec.ts';
import { providerDeps } from '../../testing.ts';
import type { Playing } from '../testing.ts';
import { fieldsOf } from '../json.rules.ts';
import type { MetaAccount } from './send.ts';
import { readTemplate } from './templates.rules.ts';
import { listTemplates } from './templates.ts';
import { businessAccountId, contract, graphError } from './testing.ts';

interface Creations {
  samples: { id: string; payload: Record<string, unknown> }[];
}

/** As Meta would list what was created: the same components, with an id and a state. */
const listed = (readContract<Creations>('payloads/meta/create_template_requests.json')?.samples ?? []).map(
  ({ id, payload }) =>
    [id, readTemplate({ id: '1', status: 'APPROVED', quality_score: { score: 'GREEN' }, ...payload })] as const,
);
const one = (start: string) => listed.find(([id]) => id.startsWith(start))?.[1];

describe.skipIf(contractFile('payloads/meta/create_template_requests.json') === undefined)(
  "Meta's own templates",
  () => {
    it.each(listed)('%s can be read', (_, template) => {
      expect(template).toMatchObject({ status: 'APPROVED', quality: 'green', category: expect.any(String) as string });
      expect(template?.variables.buttons).toHaveLength(template?.buttons.length ?? -1);
    });

    it('say how many values each part wants', () => {
      expect(one('Create template w/ text header')).toMatchObject({
        header: { kind: 'text', text: 'Our {{1}} is on!' },
        variables: { header: 1, body: 3, buttons: [0, 0] },
        buttons: [{ kind: 'quick-reply' }, { kind: 'quick-reply' }],
      });
      expect(one('Create template w/ document header')).toMatchObject({
        header: { kind: 'document' },
        variables: { header: 0, body: 2, buttons: [0, 0] },
        buttons: [{ kind: 'phone' }, { kind: 'url', url: 'https://www.examplesite.com/support' }],
      });
    });

    it('of one-time codes want the code twice, in the text that is Meta’s and on the button', () => {
      expect(one('Create authentication template w/ OTP copy code button')).toMatchObject({
        category: 'authentication',
        variables: { header: 0, body: 1, buttons: [1] },
        buttons: [{ kind: 'copy-code' }],
      });
    });
  },
);

describe('a template', () => {
  const template = (components: object[], change: object = {}) =>
    readTemplate({ id: '1', name: 'x', language: 'de', status: 'paused', components, ...change });

  it('may name its values, and may have a link that varies', () => {
    const url = 'https://shop.example/o/{{1}}';
    expect(
      template([
        { type: 'BODY', text: 'Hi {{first_name}}, {{order}} {{first_name}}' },
        { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'See', url }] },
      ]),
    ).toEqual({
      id: '1',
      name: 'x',
      language: 'de',
      status: 'PAUSED',
      body: 'Hi {{first_name}}, {{order}} {{first_name}}',
      buttons: [{ kind: 'url', text: 'See', url }],
      variables: { header: 0, body: 2, buttons: [1] },
      names: ['first_name', 'order'],
    });
  });

  it('is a one-time code, too, where its button is listed as Meta’s link', () => {
    const url = 'https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}';
    const read = template([
      { type: 'BODY', text: '*{{1}}* is your code.' },
      { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'Copy', url }] },
    ]);
    expect(read).toMatchObject({ buttons: [{ kind: 'copy-code' }], variables: { body: 1, buttons: [1] } });
  });

  it('without an id, a name, a language or a state is none', () => {
    for (const key of ['id', 'name', 'language', 'status']) expect(template([], { [key]: undefined })).toBeUndefined();
    expect(template([], { rejected_reason: 'NONE' })).not.toHaveProperty('reason');
    expect(template([], { rejected_reason: 'INVALID_FORMAT' })).toMatchObject({ reason: 'INVALID_FORMAT' });
  });
});

describe('the list of templates', () => {
  let vendor: Playing;
  beforeAll(async () => {
    vendor = (await contract.start()) as Playing;
  });
  afterEach(() => vendor.plays('accept'));
  afterAll(() => vendor.close());
  const list = () => listTemplates(vendor.account() as MetaAccount, vendor.deps(providerDeps(systemClock)));
  const page = (names: string[], after?: string) => ({
    status: 200,
    body: {
      data: names.map((name, index) => ({
        id: String(index),
        name,
        language: 'en_US',
        status: 'APPROVED',
        category: 'UTILITY',
        components: [],
      })),
      paging: {
        cursors: { before: 'b', after: after ?? 'end' },
        ...(after === undefined ? {} : { next: 'https://graph.facebook.com/with-token' }),
      },
    },
  });

  it('is read to its end, page by page, by the cursor', async () => {
    const from = vendor.requests.length;
    vendor.answers(({ path }) => (path.includes('after=second') ? page(['c']) : page(['a', 'b'], 'second')));
    expect(await list()).toMatchObject({ kind: 'listed', templates: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] });
    const asked = vendor.requests.slice(from).map(({ path }) => new URL(path, 'http://x'));
    expect(asked.map((url) => url.pathname)).toEqual(Array(2).fill(`/v23.0/${businessAccountId}/message_templates`));
    expect(asked.map((url) => url.searchParams.get('after'))).toEqual([null, 'second']);
    expect(asked[0]?.searchParams.get('fields')).toContain('components');
  });

  it('is never a part of it: a page that fails fails the whole', async () => {
    vendor.answers(({ path }) =>
      path.includes('after=second') ? graphError(400, 80007, 'Rate limit issues') : page(['a'], 'second'),
    );
    expect(await list()).toEqual({ kind: 'failed', code: '80007', reason: '(#80007) Rate limit issues' });
    vendor.answers(() => ({ status: 200, body: '<html>' }));
    expect(await list()).toMatchObject({ kind: 'failed', code: 'malformed' });
    vendor.plays('hang-up');
    expect(await list()).toMatchObject({ kind: 'failed', code: 'connection-lost' });
  });

  it('ends where the cursor stands still, and leaves out what is no template', async () => {
    vendor.answers(() => ({
      status: 200,
      body: { data: [{ id: '1' }, 'x'], paging: { cursors: { after: 'same' }, next: 'more' } },
    }));
    expect(await list()).toEqual({ kind: 'listed', templates: [] });
    expect(fieldsOf([])).toBeUndefined();
  });
});
