import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../platform/ids.ts';
import { makeToken } from '../platform/links.ts';
import { silentLog } from '../platform/log.ts';
import { createTestApp } from '../platform/testing.ts';
import { createInbound, inboundRoutes } from './index.ts';
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

describe('unsubscribing (RFC 8058)', () => {
  test('the page of a GET changes nothing (R9)', async () => {
    const sent = await lab.send();
    const answer = await lab.request('GET', `/u/${sent.token}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toContain('<form method="post">');
    expect(answer.body).toContain(`/p/${sent.token}`);
    expect(answer.body).toContain('News &#38; &#60;b&#62;more&#60;/b&#62;');
    expect(answer.body).not.toContain('<b>more');
    await lab.request('HEAD', `/u/${sent.token}`);
    expect(await lab.stateOf(sent)).toBe('granted');
  });

  test.each([
    ['as a form (R7)', { 'content-type': 'application/x-www-form-urlencoded' }, 'List-Unsubscribe=One-Click'],
    [
      'as multipart (R7)',
      { 'content-type': 'multipart/form-data; boundary=---FormBoundaryjWmhtjORrn' },
      '-----FormBoundaryjWmhtjORrn\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n-----FormBoundaryjWmhtjORrn--\r\n',
    ],
    ['with nothing', {}, undefined],
  ])('a POST %s withdraws, without cookies (R8) or a redirect (R5)', async (_how, headers, body) => {
    const sent = await lab.send();
    const answer = await lab.request('POST', `/u/${sent.token}`, headers, body);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(answer.headers.location).toBeUndefined();
    expect(await lab.stateOf(sent)).toBe('withdrawn');
    expect((await lab.eventsOf(sent.messageId)).map((event) => event.kind)).toEqual(['message.unsubscribed']);
    expect(await lab.countedKinds()).toEqual(['unsubscribed']);
  });

  test('twice is once', async () => {
    const sent = await lab.send();
    for (let round = 0; round < 3; round++)
      expect((await lab.request('POST', `/u/${sent.token}`)).statusCode).toBe(200);
    expect(await lab.eventsOf(sent.messageId)).toHaveLength(1);
    const history = await lab.db.read((tx) =>
      tx.query('select action from consent_event where workspace_id = $1 and address_id = $2', [
        lab.db.workspaceId,
        sent.addressId,
      ]),
    );
    expect(history).toEqual([{ action: 'grant' }, { action: 'withdraw' }]);
  });

  test('a person who never agreed is withdrawn all the same', async () => {
    const sent = await lab.send({ agreed: false });
    await lab.request('POST', `/u/${sent.token}`);
    expect(await lab.stateOf(sent)).toBe('withdrawn');
  });

  test('a message about no topic ends everything', async () => {
    const sent = await lab.send({ topic: null });
    await lab.request('POST', `/u/${sent.token}`);
    const rows = await lab.db.read((tx) =>
      tx.query(
        'select s.reason from suppression s join address a on a.hash = s.hash where s.workspace_id = $1 and a.id = $2',
        [lab.db.workspaceId, sent.addressId],
      ),
    );
    expect(rows).toEqual([{ reason: 'opt-out' }]);
  });

  test('a forged token is refused with a page (R4), and withdraws nobody', async () => {
    const sent = await lab.send();
    const foreign = makeToken(Buffer.alloc(32, 9), { workspaceId: lab.db.workspaceId, messageId: sent.messageId });
    for (const path of ['/u/nonsense', `/u/${foreign}`, '/p/nonsense']) {
      for (const method of ['GET', 'POST'] as const) {
        const answer = await lab.request(method, path);
        expect(answer.statusCode).toBe(404);
        expect(answer.headers['content-type']).toMatch(/^text\/html/);
      }
    }
    expect(await lab.stateOf(sent)).toBe('granted');
  });

  test('a message that is gone gets a page that says so', async () => {
    const token = makeToken(lab.db.vault.linkKey(lab.db.workspaceId), {
      workspaceId: lab.db.workspaceId,
      messageId: newId(lab.db.clock),
    });
    for (const path of [`/u/${token}`, `/p/${token}`]) expect((await lab.request('GET', path)).statusCode).toBe(410);
    expect((await lab.request('POST', `/u/${token}`)).statusCode).toBe(410);
  });

  test('an erased person is thanked, and nothing is written about them', async () => {
    const sent = await lab.send();
    await lab.db.write(async (tx) => {
      await tx.query('delete from address where workspace_id = $1 and id = $2', [tx.workspaceId, sent.addressId]);
      await tx.query('update contact set salt = null, erased_at = $3 where workspace_id = $1 and id = $2', [
        tx.workspaceId,
        sent.contactId,
        lab.db.clock.now(),
      ]);
    });
    expect((await lab.request('POST', `/u/${sent.token}`)).statusCode).toBe(200);
    expect((await lab.request('GET', `/p/${sent.token}`)).statusCode).toBe(200);
    expect(await lab.eventsOf(sent.messageId)).toEqual([]);
  });

  test('the pages are strict about what they load, and say nothing to others', async () => {
    const sent = await lab.send();
    for (const path of [`/u/${sent.token}`, `/p/${sent.token}`]) {
      const { headers, body } = await lab.request('GET', path);
      expect(headers['content-security-policy']).toMatch(
        /default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/,
      );
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['cache-control']).toBe('no-store');
      expect(body).not.toMatch(/<script|src=|@import|url\(/);
      expect(body).not.toContain(sent.email);
    }
  });
});

describe('the preference page', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const save = (sent: Sent, topics: string[]) =>
    lab.request(
      'POST',
      `/p/${sent.token}`,
      form,
      new URLSearchParams([['do', 'save'], ...topics.map((id) => [`topic:${id}`, 'on'])]).toString(),
    );

  test('shows each topic as it counts', async () => {
    const sent = await lab.send();
    const { body } = await lab.request('GET', `/p/${sent.token}`);
    expect(body).toContain(`name="topic:${lab.topicId}" value="on" checked`);
    expect(body).toContain(`name="topic:${lab.offersId}" value="on">`);
    expect(body).toContain('Now and then');
  });

  test('saves what was ticked, with evidence, and takes it back again', async () => {
    const sent = await lab.send();
    expect((await save(sent, [lab.offersId])).body).toContain('role="status"');
    expect([await lab.stateOf(sent), await lab.stateOf(sent, lab.offersId)]).toEqual(['withdrawn', 'granted']);
    expect((await lab.eventsOf(sent.messageId)).map((event) => event.kind)).toEqual(['message.unsubscribed']);
    lab.db.clock.advance(60_000);
    await save(sent, [lab.topicId, lab.offersId]);
    expect([await lab.stateOf(sent), await lab.stateOf(sent, lab.offersId)]).toEqual(['granted', 'granted']);
    const rows = await lab.db.read((tx) =>
      tx.query<{ source: string; actor: string }>(
        'select source, actor from consent_event where workspace_id = $1 and address_id = $2 order by seq',
        [lab.db.workspaceId, sent.addressId],
      ),
    );
    expect(rows.at(-1)).toEqual({ source: 'preference-page', actor: 'contact' });
  });

  test('leaving everything withdraws every topic; agreeing again takes that back', async () => {
    const sent = await lab.send();
    await save(sent, [lab.topicId, lab.offersId]);
    lab.db.clock.advance(60_000);
    await lab.request('POST', `/p/${sent.token}`, form, 'do=leave');
    expect([await lab.stateOf(sent), await lab.stateOf(sent, lab.offersId)]).toEqual(['withdrawn', 'withdrawn']);
    const listed = () =>
      lab.db.read((tx) =>
        tx.query(
          'select 1 from suppression s join address a on a.hash = s.hash where s.workspace_id = $1 and a.id = $2',
          [lab.db.workspaceId, sent.addressId],
        ),
      );
    expect(await listed()).toHaveLength(1);
    lab.db.clock.advance(60_000);
    await save(sent, [lab.topicId]);
    expect(await lab.stateOf(sent)).toBe('granted');
    expect(await listed()).toHaveLength(0);
  });

  test('a POST that is not of its form changes nothing', async () => {
    const sent = await lab.send();
    for (const body of ['', 'List-Unsubscribe=One-Click', 'do=other'])
      await lab.request('POST', `/p/${sent.token}`, form, body);
    expect(await lab.stateOf(sent)).toBe('granted');
  });

  test('a topic that is not on offer cannot be agreed to', async () => {
    const sent = await lab.send();
    const stranger = newId(lab.db.clock);
    await save(sent, [lab.topicId, stranger, '__proto__']);
    expect(await lab.stateOf(sent, stranger)).toBeUndefined();
  });

  test.each([
    ['de-AT', undefined, 'lang="de"'],
    ['fr', 'en-US,en;q=0.9', 'lang="fr"'],
    ['pt-BR', 'es-MX;q=0.8,pt;q=0.9', 'lang="es"'],
    ['xx', undefined, 'lang="en"'],
  ])('speaks the language of the contact (%s, browser: %s)', async (locale, accepts, expected) => {
    const sent = await lab.send({ locale });
    const { body } = await lab.request(
      'GET',
      `/p/${sent.token}`,
      accepts === undefined ? {} : { 'accept-language': accepts },
    );
    expect(body).toContain(expected);
  });
});

test('when the database does not answer, a page says so and nothing is claimed', async () => {
  const sent = await lab.send();
  const broken = {
    ...lab.db.db,
    transaction: () => Promise.reject(new Error('down')),
    read: () => Promise.reject(new Error('down')),
  };
  const inbound = createInbound({
    db: broken,
    clock: lab.db.clock,
    consent: lab.below.consent,
    events: { append: lab.below.activity.append, defineConsumer: () => undefined },
    destinationOf: () => Promise.resolve(undefined),
    delivery: { applyEngagement: () => Promise.resolve() },
  });
  const down = await createTestApp(
    { ...lab.db, db: broken },
    inboundRoutes({ ...inbound, vault: lab.db.vault, log: silentLog }),
  );
  const statuses = [];
  for (const path of [`/t/o/${sent.token}`, `/t/c/${sent.token}.0`, `/u/${sent.token}`])
    statuses.push((await down.inject({ method: 'GET', url: path })).statusCode);
  statuses.push((await down.inject({ method: 'POST', url: `/u/${sent.token}` })).statusCode);
  expect(statuses).toEqual([503, 503, 503, 503]);
  await down.close();
});
