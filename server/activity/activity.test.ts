import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import pg from 'pg';
import { newId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createActivity } from './index.ts';
import type { Activity, LoggedEvent } from './index.ts';
import { pageText, pinPlans } from './store.ts';

let lab: TestDb;
let workspaceId: string;
let activity: Activity;

beforeAll(async () => {
  lab = await createTestDb();
});
afterAll(() => lab.close());
beforeEach(async () => {
  workspaceId = await lab.newWorkspace();
  activity = createActivity({ db: lab.db, clock: lab.clock, log: silentLog });
});
afterEach(() => activity.stop());

const noted = (label: string) => ({ kind: 'noted', occurredAt: lab.clock.now(), data: { label } });
const append = (...labels: string[]) => lab.db.transaction(workspaceId, (tx) => activity.append(tx, labels.map(noted)));
const labelOf = (event: LoggedEvent) => String(event.data['label']);

/** Collects what a consumer named `name` is handed from the test's own workspace; the looking finds those of earlier tests, too. */
function collect(name: string, kinds = ['noted']): string[] {
  const seen: string[] = [];
  activity.defineConsumer(name, kinds, async (tx, events) => {
    if (tx.workspaceId === workspaceId) seen.push(...events.map(labelOf));
  });
  return seen;
}

/** The virtual clock moves as long as something is waited for. */
async function until(done: () => boolean): Promise<void> {
  for (let round = 0; round < 3000 && !done(); round++) {
    lab.clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
    await lab.db.system((tx) => tx.query('select 1'));
  }
  expect(done()).toBe(true);
}

describe('the event log', () => {
  test('events are read once, in order, by each consumer', async () => {
    const first = collect('first');
    const second = collect('second');
    await append('a', 'b');
    await append('c');
    await activity.drain(workspaceId);
    await append('d');
    await activity.drain(workspaceId);
    await activity.drain(workspaceId);
    expect(first).toEqual(['a', 'b', 'c', 'd']);
    expect(second).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a consumer gets only the kinds it asked for, and does not read the others again', async () => {
    const other = collect('other', ['other']);
    await append('a');
    await lab.db.transaction(workspaceId, (tx) => activity.append(tx, [{ ...noted('b'), kind: 'other' }]));
    await append('c');
    await activity.drain(workspaceId);
    expect(other).toEqual(['b']);
    const backlog = await lab.db.system((tx) =>
      tx.query("select * from parley_event_news(array['other']) where workspace_id = $1", [workspaceId]),
    );
    expect(backlog).toEqual([]);
  });

  test('more events than a page are all read', async () => {
    const seen = collect('bulk');
    const labels = Array.from({ length: 2500 }, (_, index) => String(index));
    await append(...labels);
    await activity.drain(workspaceId);
    expect(seen).toEqual(labels);
  });

  test('a writer that commits late is not skipped, and holds back what came after it', async () => {
    const seen = collect('late');
    const late = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const slow = lab.db.transaction(workspaceId, async (tx) => {
      await activity.append(tx, [noted('begun first')]);
      written.resolve();
      await late.promise;
    });
    await written.promise;
    await append('committed first');
    await activity.drain(workspaceId, 1);
    expect(seen).toEqual([]);
    late.resolve();
    await slow;
    await activity.drain(workspaceId);
    expect(seen).toEqual(['begun first', 'committed first']);
  });

  test('a handler that fails after its writes leaves neither them nor a moved cursor; the retry does both once', async () => {
    let failing = true;
    activity.defineConsumer('fragile', ['noted'], async (tx, events) => {
      for (const event of events)
        await tx.query(
          'insert into topic (workspace_id, id, key, name, created_at, updated_at) values ($1, $2, $3, $3, $4, $4)',
          [tx.workspaceId, newId(lab.clock), labelOf(event), lab.clock.now()],
        );
      if (failing) throw new Error('the process dies here');
    });
    await append('x', 'y');
    await activity.drain(workspaceId);
    const topics = () =>
      lab.db.read(workspaceId, (tx) =>
        tx.query<{ key: string }>('select key from topic where workspace_id = $1 order by key', [workspaceId]),
      );
    expect(await topics()).toEqual([]);
    failing = false;
    await activity.drain(workspaceId);
    expect(await topics()).toEqual([]);
    lab.clock.advance(2000);
    await activity.drain(workspaceId);
    await activity.drain(workspaceId);
    expect(await topics()).toEqual([{ key: 'x' }, { key: 'y' }]);
  });

  test('a consumer that fails does not hold up the others', async () => {
    activity.defineConsumer('broken', ['noted'], () => Promise.reject(new Error('always')));
    const seen = collect('healthy');
    await append('a');
    await activity.drain(workspaceId);
    expect(seen).toEqual(['a']);
  });

  test('a connection that dies between handling and moving the cursor neither loses nor repeats effects', async () => {
    let kill = true;
    activity.defineConsumer('cut', ['noted'], async (tx, events) => {
      for (const event of events)
        await tx.query(
          'insert into topic (workspace_id, id, key, name, created_at, updated_at) values ($1, $2, $3, $3, $4, $4)',
          [tx.workspaceId, newId(lab.clock), labelOf(event), lab.clock.now()],
        );
      const [me] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
      if (kill) await lab.owner.query('select pg_terminate_backend($1)', [me?.pid]);
      kill = false;
    });
    await append('x');
    await activity.drain(workspaceId);
    lab.clock.advance(2000);
    await activity.drain(workspaceId);
    await activity.drain(workspaceId);
    const rows = await lab.db.read(workspaceId, (tx) =>
      tx.query('select key from topic where workspace_id = $1', [workspaceId]),
    );
    expect(rows).toEqual([{ key: 'x' }]);
  });

  test('two processes that read for the same consumer do not both handle an event', async () => {
    const seen: string[] = [];
    const twins = [activity, createActivity({ db: lab.db, clock: lab.clock, log: silentLog })];
    for (const twin of twins)
      twin.defineConsumer('shared', ['noted'], async (tx, events) => {
        seen.push(...events.map(labelOf));
        await tx.query('select pg_sleep(0.02)');
      });
    for (let round = 0; round < 5; round++) {
      await append(`r${round}`);
      await Promise.all(twins.map((twin) => twin.drain(workspaceId)));
    }
    await activity.drain(workspaceId);
    expect(seen).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
  });

  test('once started, a commit wakes the consumers, and events of another process are found by looking', async () => {
    const seen = collect('awake');
    await activity.start();
    await append('mine');
    await until(() => seen.length === 1);
    const elsewhere = createActivity({ db: lab.db, clock: lab.clock, log: silentLog });
    await lab.db.transaction(workspaceId, (tx) => elsewhere.append(tx, [noted('theirs')]));
    await until(() => seen.length === 2);
    expect(seen).toEqual(['mine', 'theirs']);
  });

  test('what is appended in a transaction that rolls back never happened', async () => {
    const seen = collect('rolled');
    await lab.db
      .transaction(workspaceId, async (tx) => {
        await activity.append(tx, [noted('gone')]);
        throw new Error('no');
      })
      .catch(() => undefined);
    await activity.drain(workspaceId);
    expect(seen).toEqual([]);
  });

  test('the lag of a consumer is the age of its oldest unread event', async () => {
    activity.defineConsumer('stuck', ['noted'], () => Promise.reject(new Error('always')));
    await append('a');
    lab.clock.advance(30_000);
    await activity.start();
    await until(() => (activity.lagSeconds().get('stuck') ?? 0) > 0);
    expect(activity.lagSeconds().get('stuck')).toBeGreaterThanOrEqual(30);
  });

  test('after a restore into another cluster, new events come after the old ones though their transaction ids start over', async () => {
    const seen = collect('restored');
    await append('before');
    await lab.owner.query('update event set xid = xid + 1000000000 where workspace_id = $1', [workspaceId]);
    await lab.owner.query('update event_epoch set cluster = 1');
    await activity.start();
    await append('after');
    await until(() => seen.length === 2);
    expect(seen).toEqual(['before', 'after']);
  });
});

describe('timelines', () => {
  test('a contact sees what happened, newest first, page by page', async () => {
    const contactId = newId(lab.clock);
    for (const label of ['1', '2', '3'])
      await lab.db.transaction(workspaceId, (tx) =>
        activity.append(tx, [{ ...noted(label), contactId }, noted('of nobody')]),
      );
    await lab.db.read(workspaceId, async (tx) => {
      const first = await activity.timeline(tx, contactId, { limit: 2 });
      expect(first.data.map(labelOf)).toEqual(['3', '2']);
      const second = await activity.timeline(tx, contactId, { limit: 2, cursor: first.nextCursor ?? undefined });
      expect(second.data.map(labelOf)).toEqual(['1']);
      expect(second.nextCursor).toBeNull();
    });
  });

  test('a message has its own, oldest first', async () => {
    const [contactId, messageId, other] = [newId(lab.clock), newId(lab.clock), newId(lab.clock)];
    await lab.db.transaction(workspaceId, (tx) =>
      activity.append(tx, [
        { ...noted('sent'), contactId, messageId },
        { ...noted('another'), contactId, messageId: other },
        { ...noted('opened'), contactId, messageId },
      ]),
    );
    const events = await lab.db.read(workspaceId, (tx) => activity.messageTimeline(tx, contactId, messageId));
    expect(events.map(labelOf)).toEqual(['sent', 'opened']);
  });

  test('another workspace sees nothing of it', async () => {
    const contactId = newId(lab.clock);
    await lab.db.transaction(workspaceId, (tx) => activity.append(tx, [{ ...noted('a'), contactId }]));
    const stranger = await lab.newWorkspace();
    const page = await lab.db.read(stranger, (tx) => activity.timeline(tx, contactId, { limit: 10 }));
    expect(page.data).toEqual([]);
  });
});

test('the pages of the log come from its index in order, whatever the size of the table and the age of its statistics', async () => {
  const client = new pg.Client({ connectionString: lab.url });
  await client.connect();
  const plan = async () => {
    await client.query('begin');
    await client.query("select set_config('parley.workspace', $1, true)", [workspaceId]);
    await client.query(`select ${pinPlans}`);
    const values = [`'${workspaceId}'`, '1', '5', "'00000000-0000-0000-0000-000000000000'", '1000', "'{noted}'"];
    const text = values.reduce((filled, value, index) => filled.replaceAll(`$${index + 1}`, value), pageText);
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${text}`);
    await client.query('rollback');
    const lines = rows.map((row) => row['QUERY PLAN']);
    return lines
      .slice(lines.findIndex((line) => line.includes('CTE page')))
      .filter((line) => line.includes('on event_2'));
  };
  const onlyIndex = (lines: string[]) => {
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/Index (Only )?Scan using event_\d+_\d+_pkey/);
  };
  try {
    onlyIndex(await plan());
    await append(...Array.from({ length: 3000 }, (_, index) => String(index)));
    onlyIndex(await plan());
    await lab.owner.query('analyze event');
    onlyIndex(await plan());
  } finally {
    await client.end();
  }
});
