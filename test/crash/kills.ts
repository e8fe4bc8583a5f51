import { until } from '../../bench/rig.ts';
import type { Sink } from '../../bench/rig.ts';
import { parts, prepareCampaign, statsOf } from './campaign.ts';
import type { Stats } from './campaign.ts';
import type { House, Instance } from './house.ts';

export interface KillRun {
  /** Who agreed to be written to; `others` did not. */
  readonly recipients: number;
  readonly others: number;
  readonly kills: number;
  readonly policy: 'hold' | 'resend';
  readonly random: () => number;
  readonly say: (line: string) => void;
}

export interface Kill {
  /** Messages the sink had taken, and written down, and not answered when the signal was sent. */
  readonly onTheWire: number;
  /** Ids of messages the ledger had noted as begun and not as ended. */
  readonly inDoubt: readonly string[];
  /** While the server was starting, not while it was sending. */
  readonly early: boolean;
}

/** One row of the ledger at the end. */
export interface LedgerRow extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly person: string;
  readonly state: string;
}

export interface Outcome {
  readonly campaignId: string;
  readonly kills: readonly Kill[];
  readonly stats: Stats;
  readonly ledger: readonly LedgerRow[];
  /** How often each person reached the sink. */
  readonly recorded: ReadonlyMap<string, number>;
  /** Runs on, so that it can be asked about single messages. */
  readonly server: Instance;
}

/** How long the sink keeps each answer back: with it, messages are on the wire for most of the time. */
const answerAfterMs = 100;
/** Every so many kills one falls into a start. */
const earlyEvery = 7;
const longestStartMs = 3_000;
/** Of all messages, what is sent before the last kill, on average: the rest shows that the campaign ends in order. */
const sentWhileKilled = 0.6;

/** Numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Sends a campaign while its server is killed again and again, each time at a random moment, then lets it end. */
export async function sendUnderKills(house: House, run: KillRun): Promise<Outcome> {
  const sink = await house.sink(answerAfterMs);
  let server = await house.start();
  const campaignId = await prepareCampaign(server, sink.port, run.recipients, run.others);
  await server.call('PATCH', '/settings/workspace', { unknownPolicy: run.policy });
  await server.call('POST', `/campaigns/${campaignId}/start`);
  const kills: Kill[] = [];
  while (kills.length < run.kills) {
    const early = kills.length % earlyEvery === earlyEvery - 1;
    if (early) await pause(run.random() * longestStartMs);
    else await sendSome(server, sink, campaignId, run);
    const kill = await strike(house, server, sink, early);
    kills.push(kill);
    run.say(
      `kill ${kills.length}${early ? ' (while starting)' : ''}: ${kill.onTheWire} on the wire, ${kill.inDoubt.length} in doubt`,
    );
    server = house.open();
  }
  const stats = await until(async () => {
    const now = await addedUp(server, campaignId);
    return now.status === 'done' ? now : undefined;
  }, 250);
  return { campaignId, kills, stats, ledger: await readLedger(house), recorded: count(house.recorded()), server };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until a random number of messages has gone out, and a random moment longer. */
async function sendSome(server: Instance, sink: Sink, campaignId: string, run: KillRun): Promise<void> {
  const before = (await sink.stats()).messages;
  await server.ready;
  const { status } = await addedUp(server, campaignId);
  if (status !== 'running') throw new Error(`the campaign was ${status} before it had been killed often enough`);
  const share = (run.recipients * sentWhileKilled) / run.kills;
  const some = Math.ceil(run.random() * 2 * share);
  await until(async () => ((await sink.stats()).messages - before >= some ? true : undefined), 10, 120_000);
  await pause(run.random() * 2 * answerAfterMs);
}

/** `kill -9`, and what it did: seen from the other end of the wire, and from the ledger. */
async function strike(house: House, server: Instance, sink: Sink, early: boolean): Promise<Kill> {
  const gone = server.end('SIGKILL');
  // Asked after the signal: whatever the sink answers from now on, nobody hears.
  const { unanswered } = await sink.stats();
  await gone;
  await until(async () => ((await sink.stats()).unanswered === 0 ? true : undefined), 10);
  return { onTheWire: unanswered, inDoubt: await readDoubt(house, server, early), early };
}

/** What the dead process's batches say was begun and had not ended. */
async function readDoubt(house: House, server: Instance, early: boolean): Promise<string[]> {
  // A start that was killed may have left a database that is stopping or starting; a sending server leaves a running one.
  const answers = () => house.look('select 1').then(() => true as const);
  const reached = await (early
    ? until(() => answers().catch(() => undefined), 50, 5_000).catch(() => false)
    : answers());
  if (!reached) return [];
  // What was committed in the last moment counts: wait until the dead process's sessions have ended.
  await until(async () => {
    const [row] = await house.look<{ sessions: number }>(
      `select count(*)::int as sessions from pg_stat_activity where datname = 'parley' and backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    return row?.sessions === 0 ? true : undefined;
  }, 20);
  const rows = await house.look<{ id: string }>(
    'select f.id from batch b cross join unnest(b.in_flight) as f (id) where b.worker like $1',
    [`%:${server.process.pid}`],
  );
  return rows.map((row) => row.id);
}

async function addedUp(server: Instance, campaignId: string): Promise<Stats> {
  const stats = await statsOf(server, campaignId);
  if (parts(stats) !== stats.planned) throw new Error(`the counts do not add up: ${JSON.stringify(stats)}`);
  return stats;
}

function readLedger(house: House): Promise<LedgerRow[]> {
  return house.look<LedgerRow>(
    `select m.id, m.state, c.external_id as person from message m
     join contact c on c.workspace_id = m.workspace_id and c.id = m.contact_id`,
  );
}

/** `person.7@example.com` is contact `c-7`, `stranger.7@example.com` contact `s-7`. */
function count(addresses: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const address of addresses) {
    const person = address.replace(/^person\.(\d+)@example\.com$/, 'c-$1').replace(/^stranger\.(\d+)@.*$/, 's-$1');
    counts.set(person, (counts.get(person) ?? 0) + 1);
  }
  return counts;
}
