import { describe, expect, test } from 'vitest';
import { mostInDoubt } from '../../server/delivery/index.ts';
import { parts } from './campaign.ts';
import { createHouse } from './house.ts';
import type { House } from './house.ts';
import { randomFrom, sendUnderKills } from './kills.ts';
import type { Kill, Outcome } from './kills.ts';

/**
 * `kill -9` in the middle of a campaign, again and again. Afterwards the ledger and the record of a mail server that
 * outlived every kill must tell the same story, message by message.
 *
 *   CRASH_RECIPIENTS=20000 CRASH_KILLS=20 CRASH_SEED=1 npm test -- test/crash/kill.test.ts
 */
const recipients = Number(process.env['CRASH_RECIPIENTS'] ?? 20_000);
const kills = Number(process.env['CRASH_KILLS'] ?? 20);
const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const say = (line: string) => void process.stderr.write(`${line}\n`);
async function inHouse(work: (house: House) => Promise<void>): Promise<void> {
  const house = createHouse();
  try {
    await work(house);
  } finally {
    await house.close();
  }
}

const people = (count: number) => Array.from({ length: count }, (_, n) => `c-${n}`);
const idsIn = (outcome: Outcome, state: string) =>
  outcome.ledger.filter((row) => row.state === state).map((row) => row.id);

/** The projection says what the ledger says. */
function expectTrueCounts({ stats, ledger }: Outcome, planned: number): void {
  const counted: Record<string, number> = {};
  for (const { state } of ledger) counted[state] = (counted[state] ?? 0) + 1;
  expect(parts(stats)).toBe(stats.planned);
  expect(stats).toMatchObject({
    status: 'done',
    planned,
    waiting: 0,
    held: 0,
    sending: 0,
    accepted: counted['accepted'] ?? 0,
    unknown: counted['unknown'] ?? 0,
    suppressed: counted['suppressed'] ?? 0,
    failed: 0,
    cancelled: 0,
    expired: 0,
  });
}

/** Everybody has one row; a row that left says so, one that did not left no trace at the sink. */
function expectWholeLedger({ ledger, recorded }: Outcome, agreed: number, others: number): void {
  const all = [...people(agreed), ...Array.from({ length: others }, (_, n) => `s-${n}`)];
  expect(ledger.map((row) => row.person).sort()).toEqual(all.sort());
  const wrong = ledger.filter(({ person, state }) => {
    const times = recorded.get(person) ?? 0;
    if (person.startsWith('s-')) return state !== 'suppressed' || times > 0;
    return state === 'accepted' ? times === 0 : state !== 'unknown';
  });
  expect(wrong).toEqual([]);
}

/** A kill is worth something when it hits messages between two ends of a wire. */
function expectHardKills(struck: readonly Kill[], count: number, share: number): void {
  expect(struck).toHaveLength(count);
  expect(struck.filter((kill) => kill.onTheWire > 0).length).toBeGreaterThanOrEqual(count * share);
  expect(Math.max(...struck.map((kill) => kill.inDoubt.length))).toBeLessThanOrEqual(mostInDoubt);
  expect(mostInDoubt).toBeLessThanOrEqual(64);
}

async function expectEndedInOrder(house: House, outcome: Outcome): Promise<void> {
  expect(await house.look('select id from batch union all select message_id from deferral')).toEqual([]);
  expect(await outcome.server.call('GET', '/compliance/verify')).toMatchObject({ ok: true });
  expect(await outcome.server.call('GET', '/audit/verify')).toMatchObject({ ok: true });
  expect(await outcome.server.end('SIGTERM')).toBe(0);
}

// At the same time: both wait for leases to run out.
describe.concurrent('a server that is killed while it sends', () => {
  test(`${kills} kills, ${recipients} recipients: nobody is missing, nobody gets it twice, what is in doubt is unknown`, () =>
    inHouse(async (house) => {
      say(`seed ${seed}: CRASH_SEED=${seed} repeats it`);
      const others = Math.ceil(recipients / 100);
      const run = { recipients, others, kills, policy: 'hold' as const, random: randomFrom(seed), say };
      const outcome = await sendUnderKills(house, run);
      const { stats, recorded } = outcome;
      say(
        `${stats.planned} planned, ${stats.accepted} accepted, ${stats.unknown} unknown (${Math.max(...outcome.kills.map((kill) => kill.inDoubt.length))} at most from one kill), ` +
          `${outcome.kills.filter((kill) => kill.onTheWire > 0).length} of ${kills} kills with messages on the wire`,
      );
      expect(await house.settings(['fsync', 'synchronous_commit', 'full_page_writes'])).toEqual({
        fsync: 'on',
        synchronous_commit: 'on',
        full_page_writes: 'on',
      });
      expectTrueCounts(outcome, recipients + others);
      expectWholeLedger(outcome, recipients, others);
      expectHardKills(outcome.kills, kills, 0.75);
      expect([...recorded].filter(([, times]) => times > 1)).toEqual([]);
      // Exactly what was between its beginning and its end when a kill fell is unknown: not one message more, not one less.
      expect(idsIn(outcome, 'unknown').sort()).toEqual(outcome.kills.flatMap((kill) => kill.inDoubt).sort());
      await expectEndedInOrder(house, outcome);
    }));

  test('a workspace that wants it resent gets it resent, and the ledger tells which were in doubt', () =>
    inHouse(async (house) => {
      const few = Math.min(5_000, recipients);
      const run = {
        recipients: few,
        others: 0,
        kills: Math.min(3, kills),
        policy: 'resend' as const,
        say: (line: string) => say(`  resending: ${line}`),
      };
      const outcome = await sendUnderKills(house, { ...run, random: randomFrom(seed + 1) });
      expectTrueCounts(outcome, few);
      expectWholeLedger(outcome, few, 0);
      expectHardKills(outcome.kills, run.kills, 0.5);
      expect(outcome.stats).toMatchObject({ accepted: few, unknown: 0 });
      const doubts = new Map<string, number>();
      for (const id of outcome.kills.flatMap((kill) => kill.inDoubt)) doubts.set(id, (doubts.get(id) ?? 0) + 1);
      const doubted = await house.look<{ id: string; times: number }>(
        `select message_id as id, count(*)::int as times from event where kind = 'message.unknown' group by message_id`,
      );
      expect(new Map(doubted.map((row) => [row.id, row.times]))).toEqual(doubts);
      const twice = outcome.ledger.filter((row) => (outcome.recorded.get(row.person) ?? 0) > 1);
      run.say(`${doubts.size} in doubt and resent, ${twice.length} of them had arrived before`);
      expect(twice.length).toBeGreaterThan(0);
      for (const { id, person } of twice)
        expect(outcome.recorded.get(person)).toBeLessThanOrEqual(1 + (doubts.get(id) ?? 0));
      const told = await outcome.server.call<{ timeline: { kind: string }[] }>('GET', `/messages/${twice[0]?.id}`);
      expect(told.timeline.map((event) => event.kind)).toEqual(
        expect.arrayContaining(['message.unknown', 'message.accepted']),
      );
      await expectEndedInOrder(house, outcome);
    }));
});
