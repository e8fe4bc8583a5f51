import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { clickToken, makeToken } from '../platform/links.ts';
import { createInboundLab } from './testing.ts';
import type { InboundLab, Sent } from './testing.ts';

let lab: InboundLab;
beforeAll(async () => {
  lab = await createInboundLab();
});
afterAll(() => lab.close());
beforeEach(async () => {
  lab.db.clock.advance(3_600_000);
  await lab.countedKinds();
});

describe('the pixel', () => {
  test('an open is written down before the answer, and counted', async () => {
    const sent = await lab.send();
    const answer = await lab.request('GET', `/t/o/${sent.token}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'image/gif',
      'cache-control': expect.stringContaining('no-store'),
    });
    expect(answer.rawPayload.subarray(0, 6).toString()).toBe('GIF89a');
    expect(await lab.eventsOf(sent.messageId)).toEqual([{ kind: 'message.opened', data: {} }]);
    expect(await lab.countedKinds()).toEqual(['opened']);
  });

  test.each([
    ['a HEAD request', 'HEAD', {}, 'head'],
    ['a prefetch', 'GET', { 'sec-purpose': 'prefetch;prerender' }, 'prefetch'],
    ["Apple's privacy proxy", 'GET', { 'user-agent': 'Mozilla/5.0' }, 'apple-privacy'],
    [
      'the Gmail proxy at arrival',
      'GET',
      { 'user-agent': 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)' },
      'proxy-at-arrival',
    ],
    ['a scanner', 'GET', { 'user-agent': 'Barracuda Sentinel' }, 'scanner'],
  ] as const)('%s is kept, marked, and not counted as a person', async (_who, method, headers, machine) => {
    const sent = await lab.send();
    await lab.request(method, `/t/o/${sent.token}`, headers);
    expect(await lab.eventsOf(sent.messageId)).toEqual([{ kind: 'message.opened', data: { machine } }]);
    expect(await lab.countedKinds()).toEqual(['machine-opened']);
  });

  test('a Gmail reader counts, an hour after arrival', async () => {
    const sent = await lab.send();
    lab.db.clock.advance(3_600_000);
    await lab.request('GET', `/t/o/${sent.token}`, {
      'user-agent': 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
    });
    expect(await lab.countedKinds()).toEqual(['opened']);
  });

  test('a broken or foreign token still gets a picture, and nothing is written', async () => {
    const sent = await lab.send();
    const foreign = makeToken(Buffer.alloc(32, 9), { workspaceId: lab.db.workspaceId, messageId: sent.messageId });
    for (const token of ['x', 'a'.repeat(300), foreign, `${sent.token}=`]) {
      const answer = await lab.request('GET', `/t/o/${token}`);
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-type']).toBe('image/gif');
    }
    expect(await lab.eventsOf(sent.messageId)).toEqual([]);
  });

  test('many at once are all written, in few transactions', async () => {
    const messages: Sent[] = [];
    for (let n = 0; n < 60; n++) messages.push(await lab.send());
    const answers = await Promise.all(messages.map((one) => lab.request('GET', `/t/o/${one.token}`)));
    expect(answers.every((answer) => answer.statusCode === 200)).toBe(true);
    const rows = await lab.db.read((tx) =>
      tx.query<{ events: number; transactions: number }>(
        "select count(*)::integer as events, count(distinct xid)::integer as transactions from event where workspace_id = $1 and kind = 'message.opened' and message_id = any($2)",
        [lab.db.workspaceId, messages.map((one) => one.messageId)],
      ),
    );
    expect(rows[0]?.events).toBe(60);
    expect(rows[0]?.transactions).toBeLessThan(20);
  });

  test('a message that was made months after its campaign had started is found all the same', async () => {
    const sent = await lab.send();
    const months = ['2025-12-01', '2025-09-01', '2025-08-01', '2025-07-01'];
    const statuses = [];
    for (const month of months) {
      await lab.db.owner.query('select parley_ensure_month($1, $2)', ['message', month]);
      await lab.db.owner.query('update message set plan_month = $2 where id = $1', [sent.messageId, month]);
      statuses.push((await lab.request('GET', `/t/c/${clickToken(sent.token, 0)}`)).statusCode);
    }
    expect(statuses).toEqual([302, 302, 302, 410]);
  });

  test('the same pixel fetched without end is not written without end', async () => {
    const sent = await lab.send();
    for (let round = 0; round < 4; round++)
      await Promise.all(Array.from({ length: 20 }, () => lab.request('GET', `/t/o/${sent.token}`)));
    expect((await lab.eventsOf(sent.messageId)).length).toBe(30);
  });
});

describe('a click', () => {
  test('leads to the link of the template version, and is counted', async () => {
    const sent = await lab.send();
    const answer = await lab.request('GET', `/t/c/${clickToken(sent.token, 0)}`);
    expect(answer.statusCode).toBe(302);
    expect(answer.headers.location).toBe('https://shop.example/a?x=1&y=2');
    expect(await lab.eventsOf(sent.messageId)).toEqual([{ kind: 'message.clicked', data: { link: 0 } }]);
    expect(await lab.countedKinds()).toEqual(['clicked']);
  });

  test('cannot be bent to lead elsewhere', async () => {
    const sent = await lab.send();
    const good = clickToken(sent.token, 0);
    for (const path of [`${good}?url=https://evil.example&utm_source=x`, `${good}/`]) {
      const answer = await lab.request('GET', `/t/c/${path}`);
      expect(answer.headers.location).toBe('https://shop.example/a?x=1&y=2');
    }
    for (const token of [
      sent.token,
      `${sent.token}.x`,
      `${good}0x`,
      `${sent.token}.https:%2f%2fevil.example`,
      `${sent.token.slice(0, -1)}.0`,
    ]) {
      const answer = await lab.request('GET', `/t/c/${token}`);
      expect(answer.statusCode).toBe(404);
      expect(answer.headers.location).toBeUndefined();
      expect(answer.headers['content-type']).toMatch(/^text\/html/);
    }
    const nowhere = await lab.request('GET', `/t/c/${clickToken(sent.token, 77)}`);
    expect(nowhere.statusCode).toBe(410);
  });

  test('that asks with HEAD, and one of a scanner that follows every link, is nobody', async () => {
    const sent = await lab.send();
    await lab.request('HEAD', `/t/c/${clickToken(sent.token, 0)}`);
    const scanned = await lab.send();
    for (const n of [0, 1, 2]) await lab.request('GET', `/t/c/${clickToken(scanned.token, n)}`);
    expect((await lab.eventsOf(scanned.messageId)).map((event) => event.data['machine'])).toContain('burst');
    expect(await lab.countedKinds()).toEqual([]);
  });
});
