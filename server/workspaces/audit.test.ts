import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { genesis, linkMac, sealHead } from '../platform/chain.ts';
import { callerOf, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createAudit, systemActor } from './audit.ts';
import type { Audit } from './audit.ts';
import { entryFields } from './audit.rules.ts';
import * as store from './audit.store.ts';

let testDb: TestDb;
let audit: Audit;

beforeAll(async () => {
  testDb = await createTestDb();
  audit = createAudit(testDb);
});
afterAll(() => testDb.close());

async function workspaceWith(entries: number): Promise<string> {
  const workspaceId = await testDb.newWorkspace();
  await testDb.db.transaction(workspaceId, async (tx) => {
    await audit.begin(tx);
    for (let at = 1; at <= entries; at++)
      await audit.record(tx, {
        actor: callerOf(workspaceId),
        action: 'topic.created',
        target: { kind: 'topic', id: `t${at}` },
        after: { name: `Topic ${at}`, zeta: 1.5, alpha: { b: [1, 'x'], a: null } },
        ip: '192.0.2.7',
        userAgent: 'test',
        requestId: `r${at}`,
      });
  });
  return workspaceId;
}

const verify = (workspaceId: string) => audit.verify(testDb.db, workspaceId);
/** As superuser: what somebody with the database, but not the keys, could do. */
async function tamper(text: string, values: unknown[]): Promise<void> {
  const result = await testDb.owner.query(text, values);
  expect(result.rowCount).toBeGreaterThan(0);
}

describe('the audit log', () => {
  test('keeps what was recorded, masked, and verifies', async () => {
    const workspaceId = await testDb.newWorkspace();
    await testDb.db.transaction(workspaceId, (tx) =>
      audit.record(tx, {
        actor: { ...callerOf(workspaceId), name: 'mia@example.com' },
        action: 'account.changed',
        target: { kind: 'account', id: 'a1' },
        before: { host: 'old', password: 'p1', contact: 'mia@example.com', same: 1 },
        after: { host: 'new', password: 'p2', contact: 'mia@example.com', same: 1 },
      }),
    );
    const [entry] = await testDb.db.read(workspaceId, (tx) => audit.list(tx, {}, undefined, 10));
    expect(entry).toMatchObject({
      seq: 1,
      actorKind: 'key',
      actorName: 'm•••@example.com',
      before: { host: 'old', password: '•••' },
      after: { host: 'new', password: '•••' },
      ip: null,
    });
    expect(await verify(workspaceId)).toMatchObject({ ok: true, checked: 1, head: { seq: 1 }, broken: null });
  });

  test('of a new workspace is empty and sound', async () => {
    expect(await verify(await workspaceWith(0))).toEqual({ ok: true, checked: 0, head: null, broken: null });
  });

  test('is walked in pages: more entries than fit one', async () => {
    const workspaceId = await workspaceWith(1_203);
    expect(await verify(workspaceId)).toMatchObject({ ok: true, checked: 1_203, head: { seq: 1_203 } });
  });

  test('keeps one whole chain when many write at once', async () => {
    const workspaceId = await testDb.newWorkspace();
    await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        testDb.db.transaction(workspaceId, (tx) =>
          audit.record(tx, { actor: systemActor, action: 'thing.done', after: { at } }),
        ),
      ),
    );
    expect(await verify(workspaceId)).toMatchObject({ ok: true, checked: 40 });
  });

  test('forgets an entry whose change was rolled back, without a gap', async () => {
    const workspaceId = await workspaceWith(1);
    const failing = testDb.db.transaction(workspaceId, async (tx) => {
      await audit.record(tx, { actor: systemActor, action: 'thing.done' });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await testDb.db.transaction(workspaceId, (tx) => audit.record(tx, { actor: systemActor, action: 'thing.done' }));
    expect(await verify(workspaceId)).toMatchObject({ ok: true, checked: 2 });
  });

  test('is filtered by actor, action, target and time, newest first', async () => {
    const workspaceId = await workspaceWith(3);
    const from = testDb.clock.now();
    testDb.clock.advance(60_000);
    await testDb.db.transaction(workspaceId, (tx) =>
      audit.record(tx, {
        actor: { kind: 'user', id: 'u9', name: 'Ada' },
        action: 'key.revoked',
        target: { kind: 'key', id: 'k1' },
      }),
    );
    const list = (filter: store.AuditFilter, before?: number) =>
      testDb.db.read(workspaceId, async (tx) => (await audit.list(tx, filter, before, 2)).map((entry) => entry.seq));
    expect(await list({})).toEqual([4, 3]);
    expect(await list({}, 3)).toEqual([2, 1]);
    expect(await list({ actorId: 'u9' })).toEqual([4]);
    expect(await list({ action: 'topic.created' })).toEqual([3, 2]);
    expect(await list({ targetKind: 'topic', targetId: 't2' })).toEqual([2]);
    expect(await list({ from: from.add({ seconds: 1 }) })).toEqual([4]);
    expect(await list({ to: from.add({ seconds: 1 }) })).toEqual([3, 2]);
  });

  test('cannot be changed or emptied by the role of the server', async () => {
    const workspaceId = await workspaceWith(1);
    for (const text of [
      `update audit_entry set action = 'x' where workspace_id = $1`,
      `delete from audit_entry where workspace_id = $1`,
      `truncate audit_entry`,
      `insert into audit_entry select * from audit_entry where workspace_id = $1 on conflict (workspace_id, seq) do update set action = 'x'`,
    ])
      await expect(
        testDb.db.transaction(workspaceId, (tx) => tx.query(text, text.includes('$1') ? [workspaceId] : [])),
      ).rejects.toThrow(/permission denied/);
  });

  test('is invisible to another workspace', async () => {
    await workspaceWith(1);
    const other = await testDb.newWorkspace();
    expect(await testDb.db.read(other, (tx) => tx.query('select 1 from audit_entry'))).toEqual([]);
    await expect(
      testDb.db.transaction(other, (tx) =>
        tx.query(
          `insert into audit_entry (workspace_id, seq, id, at, actor_kind, actor_name, action, mac) values ($1, 9, $1, now(), 'x', 'x', 'x', '')`,
          [testDb.workspaceId],
        ),
      ),
    ).rejects.toThrow(/row-level security/);
  });
});

describe('verifying finds', () => {
  test.each([
    ['action', `action = 'topic.removed'`],
    ['actor', `actor_name = 'Nobody'`],
    ['time', `at = at + interval '1 microsecond'`],
    ['detail', `after = jsonb_set(after, '{alpha,b,1}', '"y"')`],
    ['address', `ip = null`],
    ['MAC', `mac = set_byte(mac, 31, get_byte(mac, 31) # 1)`],
  ])('a changed %s, and names the entry', async (_, change) => {
    const workspaceId = await workspaceWith(4);
    await tamper(`update audit_entry set ${change} where workspace_id = $1 and seq = 3`, [workspaceId]);
    expect(await verify(workspaceId)).toMatchObject({
      ok: false,
      checked: 2,
      broken: { seq: 3, reason: /not what was written/ },
    });
  });

  test('a gap', async () => {
    const workspaceId = await workspaceWith(4);
    await tamper('delete from audit_entry where workspace_id = $1 and seq = 2', [workspaceId]);
    expect(await verify(workspaceId)).toMatchObject({ ok: false, broken: { seq: 2, reason: /missing/ } });
  });

  test('newest entries cut off, even when the head was set back with them', async () => {
    const workspaceId = await workspaceWith(4);
    await tamper('delete from audit_entry where workspace_id = $1 and seq > 2', [workspaceId]);
    expect(await verify(workspaceId)).toMatchObject({
      ok: false,
      broken: { seq: 3, reason: /newest 2 entries are missing/ },
    });
    await tamper(
      'update audit_head h set seq = 2, mac = (select mac from audit_entry e where e.workspace_id = $1 and e.seq = 2) where workspace_id = $1',
      [workspaceId],
    );
    expect(await verify(workspaceId)).toMatchObject({ ok: false, broken: { seq: 2, reason: /seal/ } });
  });

  test('a chain emptied to the last entry, with its head or without', async () => {
    const workspaceId = await workspaceWith(2);
    await tamper('delete from audit_entry where workspace_id = $1', [workspaceId]);
    expect(await verify(workspaceId)).toMatchObject({ ok: false, broken: { seq: 1, reason: /missing/ } });
    await tamper('delete from audit_head where workspace_id = $1', [workspaceId]);
    expect(await verify(workspaceId)).toMatchObject({ ok: false, broken: { seq: 1, reason: /head/ } });
  });

  test('a removed head, and refuses to go on beside it', async () => {
    const workspaceId = await workspaceWith(2);
    await tamper('delete from audit_head where workspace_id = $1', [workspaceId]);
    expect(await verify(workspaceId)).toMatchObject({
      ok: false,
      broken: { seq: 1, reason: /head of the chain is missing/ },
    });
    await expect(
      testDb.db.transaction(workspaceId, (tx) => audit.record(tx, { actor: systemActor, action: 'thing.done' })),
    ).rejects.toThrow(/head of the audit chain/);
  });

  test('an entry added behind the head', async () => {
    const workspaceId = await workspaceWith(2);
    await tamper(
      `insert into audit_entry select workspace_id, 3, id, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, before, after, ip,
         user_agent, request_id, mac from audit_entry where workspace_id = $1 and seq = 2`,
      [workspaceId],
    );
    expect(await verify(workspaceId)).toMatchObject({ ok: false, broken: { seq: 3, reason: /does not know/ } });
  });

  test('a chain recomputed from an entry on, without the key', async () => {
    const workspaceId = await workspaceWith(4);
    await tamper(`update audit_entry set actor_name = 'Nobody' where workspace_id = $1 and seq = 2`, [workspaceId]);
    const guess = Buffer.alloc(32, 1);
    const entries = await testDb.db.read(workspaceId, (tx) => store.pageAfter(tx, 0, 9, 9));
    let previous = entries[0]?.mac ?? genesis;
    for (const entry of entries.slice(1)) {
      previous = linkMac(guess, previous, entryFields(workspaceId, entry));
      await tamper('update audit_entry set mac = $2 where workspace_id = $1 and seq = $3', [
        workspaceId,
        previous,
        entry.seq,
      ]);
    }
    await tamper('update audit_head set mac = $2, seal = $3 where workspace_id = $1', [
      workspaceId,
      previous,
      sealHead(guess, 4, previous),
    ]);
    expect(await verify(workspaceId)).toMatchObject({ ok: false, broken: { seq: 2 } });
  });

  test('entries moved from another workspace', async () => {
    const from = await workspaceWith(2);
    const to = await workspaceWith(2);
    await tamper('delete from audit_entry where workspace_id = $1', [to]);
    await tamper('update audit_entry set workspace_id = $2 where workspace_id = $1', [from, to]);
    expect(await verify(to)).toMatchObject({ ok: false, broken: { seq: 1 } });
  });
});
