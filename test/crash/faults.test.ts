import { expect, test } from 'vitest';
import { until } from '../../bench/rig.ts';
import { mostInDoubt } from '../../server/delivery/index.ts';
import { prepareCampaign, parts, statsOf } from './campaign.ts';
import { faultPlan, strike } from './faults.ts';
import type { Fault } from './faults.ts';
import { randomFrom } from './kills.ts';
import { openTown } from './town.ts';
import type { Town } from './town.ts';

/**
 * An API, two workers, a database and a wire to the provider, and faults that fall on each of them while campaigns go out.
 * Afterwards the ledger and the record of the provider must tell the same story, message by message.
 *
 *   PARLEY_CRASH_FAULTS=200 CRASH_SEED=1 npm test -- test/crash/faults.test.ts
 */
const count = Number(process.env['PARLEY_CRASH_FAULTS'] ?? 24);
const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const people = 1_000;
const connections = 16;
const say = (line: string) => void process.stderr.write(`${line}\n`);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Row {
  readonly id: string;
  readonly plan: string;
  readonly contact: string;
  readonly state: string;
  readonly doubts: number;
  readonly [column: string]: unknown;
}

/** Whatever is being killed meanwhile, one of the next ones answers. */
function insist<T>(ask: () => Promise<T>): Promise<T> {
  return until(() => ask().catch(() => undefined), 250, 120_000);
}

const left = async (town: Town) => {
  const [row] = await insist(() =>
    town.look<{ n: number }>(`select count(*)::int as n from message where state in ('planned', 'held')`),
  );
  return row?.n ?? 0;
};

/** What a worker that comes could begin at once: the leases of the dead run for half a minute. */
const free = async (town: Town) => {
  const [row] = await insist(() =>
    town.look<{ n: number }>(
      `select coalesce(sum(size - begun), 0)::int as n from batch where lease_until is null and due_at <= clock_timestamp()`,
    ),
  );
  return row?.n ?? 0;
};

async function launch(town: Town, templateId: string, policy: 'hold' | 'resend'): Promise<void> {
  await insist(async () => {
    const api = town.api.now();
    await api.call('PATCH', '/settings/workspace', { unknownPolicy: policy });
    const draft = { name: 'More', channels: ['email'], templateId, topic: 'news', audience: { all: true } };
    const { id } = await api.call<{ id: string }>('POST', '/campaigns', draft);
    await api.call('POST', `/campaigns/${id}/start`);
    return true;
  });
}

/** Until something more has gone out: a fault is worth something when it hits messages. Some fall into nothing. */
async function awaitSome(town: Town, random: () => number): Promise<void> {
  const from = town.recorded().length + Math.floor(random() * 60);
  await until(() => Promise.resolve(town.recorded().length > from ? true : undefined), 20, 5_000).catch(() => false);
  await pause(random() * 300);
}

async function sendUnderFaults(town: Town, random: () => number): Promise<Fault[]> {
  const first = await prepareCampaign(town.api.now(), town.wire.port, people, 0, connections);
  const { templateId } = await town.api.now().call<{ templateId: string }>('GET', `/campaigns/${first}`);
  await town.api.now().call('POST', `/campaigns/${first}/start`);
  const faults: Fault[] = [];
  for (const [nth, kind] of faultPlan(count, random).entries()) {
    if ((await free(town)) < people / 4) await launch(town, templateId, random() < 0.5 ? 'hold' : 'resend');
    await awaitSome(town, random);
    const fault = await strike(kind, town, random);
    faults.push(fault);
    say(
      `fault ${nth + 1} ${kind}: ${fault.inDoubt.length} in doubt, ${fault.unsent} unsent, ${town.recorded().length} on record`,
    );
  }
  await until(async () => ((await left(town)) === 0 ? true : undefined), 500, 600_000);
  return faults;
}

const ledgerOf = (town: Town) =>
  town.look<Row>(
    `select m.id, m.plan_id as plan, m.contact_id as contact, m.state, coalesce(e.doubts, 0) as doubts from message m
     left join (select message_id as id, count(*)::int as doubts from event where kind = 'message.unknown' group by 1) e using (id)`,
  );

/** Message by message. */
function expectOneStory(ledger: readonly Row[], recorded: readonly string[]): void {
  const times = new Map<string, number>();
  for (const id of recorded) times.set(id, (times.get(id) ?? 0) + 1);
  const at = (row: Row) => times.get(row.id) ?? 0;
  const known = new Set(ledger.map((row) => row.id));
  expect(recorded.filter((id) => !known.has(id))).toEqual([]);
  // Nobody is left, nobody is missing: whoever counts as written to is on the provider's record.
  expect(ledger.filter((row) => row.state !== 'accepted' && row.state !== 'unknown')).toEqual([]);
  expect(ledger.filter((row) => row.state === 'accepted' && at(row) === 0)).toEqual([]);
  // Handed over twice only where the history says that it was in doubt before; in doubt for good, once for each doubt.
  expect(ledger.filter((row) => row.state === 'accepted' && at(row) > 1 + row.doubts)).toEqual([]);
  expect(ledger.filter((row) => row.state === 'unknown' && (row.doubts === 0 || at(row) > row.doubts))).toEqual([]);
  const twice = ledger.filter((row) => at(row) > 1);
  const unknown = ledger.filter((row) => row.state === 'unknown');
  say(
    `${ledger.length} messages, ${recorded.length} on record, ${unknown.length} unknown (${unknown.filter((row) => at(row) > 0).length} of them arrived), ` +
      `${twice.length} arrived more than once after a doubt`,
  );
}

async function expectInOrder(town: Town, ledger: readonly Row[]): Promise<void> {
  const plans = Map.groupBy(ledger, (row) => row.plan);
  for (const [, rows] of plans) {
    expect(rows).toHaveLength(people);
    expect(new Set(rows.map((row) => row.contact)).size).toBe(people);
  }
  expect(await town.look('select id from batch union all select message_id from deferral')).toEqual([]);
  for (const one of town.people) one.shift(0);
  await insist(() => town.api.now().call('GET', '/settings/workspace'));
  const campaigns = await town.look<{ id: string; plan: string }>(
    `select source_id as id, id as plan from plan where source = 'campaign'`,
  );
  for (const { id, plan } of campaigns) {
    const rows = plans.get(plan) ?? [];
    const stats = await statsOf(town.api.now(), id);
    expect(parts(stats)).toBe(stats.planned);
    expect(stats).toMatchObject({
      planned: people,
      accepted: rows.filter((row) => row.state === 'accepted').length,
      unknown: rows.filter((row) => row.state === 'unknown').length,
    });
  }
  expect(await town.api.now().call('GET', '/compliance/verify')).toMatchObject({ ok: true });
  expect(await town.api.now().call('GET', '/audit/verify')).toMatchObject({ ok: true });
}

/** A worker that died, or lost its lease, leaves one window in doubt and no more; nobody else leaves any. */
async function expectOneWindowEach(town: Town, faults: readonly Fault[]): Promise<void> {
  const lost = faults.filter((fault) => fault.kind === 'worker killed' || fault.kind === 'lease holder paused');
  const most = Math.max(...lost.map((fault) => fault.inDoubt.length));
  expect(most).toBeLessThanOrEqual(mostInDoubt);
  expect(mostInDoubt).toBeLessThanOrEqual(64);
  const doubted = await town.look<{ id: string }>(
    `select distinct message_id as id from event where kind = 'message.unknown' and (data ->> 'reason' = 'worker-lost' or data ->> 'code' = 'worker-lost')`,
  );
  const inDoubt = new Set(lost.flatMap((fault) => fault.inDoubt));
  expect(doubted.filter(({ id }) => !inDoubt.has(id))).toEqual([]);
  const sum = lost.reduce((all, fault) => all + fault.inDoubt.length, 0);
  say(`${lost.length} workers lost, ${sum} in doubt, ${most} at most from one`);
}

test(`${count} faults: nobody is missing, nobody gets it twice without a doubt in its history`, async () => {
  say(`seed ${seed}: CRASH_SEED=${seed} repeats it`);
  const town = await openTown();
  try {
    const settings = await town.look<{ name: string; setting: string }>(
      `select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes') order by name`,
    );
    expect(settings.map((row) => row.setting)).toEqual(['on', 'on', 'on']);
    const faults = await sendUnderFaults(town, randomFrom(seed));
    const ledger = await ledgerOf(town);
    expectOneStory(ledger, town.recorded());
    await expectInOrder(town, ledger);
    await expectOneWindowEach(town, faults);
    // Who lost his lease while he was stopped sends nothing more of what was his, but for the one message whose bytes
    // were on their way from the check to the kernel.
    expect(faults.filter((fault) => fault.sentLate.length > 1)).toEqual([]);
    for (const one of town.people) {
      const last = one.now();
      await last.ready;
      expect(await last.end('SIGTERM'), last.said().slice(-3_000)).toBe(0);
    }
  } finally {
    await town.close();
  }
});
