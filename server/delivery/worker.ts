import { createBudget } from './budget.ts';
import type { Budget } from './budget.ts';
import { claimNext } from './claim.ts';
import type { Claim } from './claim.ts';
import { dueTurns, mostTurns, nextDue } from './claim.store.ts';
import { createTurns, leastUrgent } from './fairness.rules.ts';
import type { DueTurn } from './fairness.rules.ts';
import { handOver } from './handover.ts';
import type { DeliveryDeps } from './ports.ts';

/** What a kill of this process can at most leave in doubt. */
export const mostInDoubt = 64;
/** Batches at once: more than one, so that a slow lane does not stand before the others. */
export const mostClaims = 4;
/** One place is kept for what somebody is waiting for. */
const mostBulk = mostClaims - 1;
/** Work that another process made is told of at once; this is for news that got lost. */
const pollMs = 15_000;
/** Asked this soon whether something urgent has come while the places for the rest are taken. */
const urgentPollMs = 2_000;
const troubleMs = 1_000;

export interface Worker {
  start(): void;
  /** New work was planned: look at once. */
  wake(): void;
  /** Begins nothing more, waits for what is on the wire. */
  stop(): Promise<void>;
  /** Hands over everything that is due now, to the end; for tests and commands. */
  drain(): Promise<void>;
}

/** What a loop waits on: until the time is up, or somebody says there is work. */
interface Alarm {
  ring(): void;
  /** Forgets earlier rings: whoever looks for work next sees what they were about. */
  reset(): void;
  wait(sleep: (signal: AbortSignal) => Promise<void>): Promise<void>;
}

function createAlarm(): Alarm {
  let rung = false;
  let wake: () => void = () => undefined;
  return {
    ring: () => {
      rung = true;
      wake();
    },
    reset: () => {
      rung = false;
    },
    wait: async (sleep) => {
      if (rung) return;
      const slept = new AbortController();
      await Promise.race([new Promise<void>((resolve) => (wake = resolve)), sleep(slept.signal)]);
      slept.abort();
    },
  };
}

type Claimer = (urgentOnly: boolean) => Promise<Claim | undefined>;

const beforeAll = '00000000-0000-0000-0000-000000000000';

/** Claims for one process: for whoever has the next turn; undefined when nothing is due anywhere. */
function createClaimer(deps: DeliveryDeps, shard: number): Claimer {
  const turns = createTurns();
  const claimIn = async (turn: DueTurn): Promise<Claim | undefined> => {
    for (;;) {
      const answer = await deps.hot.transaction(turn.workspaceId, (tx) => claimNext(tx, deps, shard, turn));
      if (answer !== 'again') return answer;
    }
  };
  const claimAmong = async (due: readonly DueTurn[]): Promise<Claim | undefined> => {
    for (const turn of turns.order(due)) {
      const claim = await claimIn(turn);
      if (claim === undefined) continue;
      turns.charge(turn, claim.end - claim.batch.begun);
      return claim;
    }
    return undefined;
  };
  return async (urgentOnly) => {
    let after = beforeAll;
    for (;;) {
      const due = await deps.hot.glance((tx) => dueTurns(tx, deps.clock.now(), after));
      const claim = await claimAmong(urgentOnly ? due.filter((one) => one.priority <= leastUrgent) : due);
      const last = due.at(-1)?.workspaceId;
      if (claim !== undefined || due.length < mostTurns || last === undefined) return claim;
      after = last;
    }
  };
}

/** The hand-overs of one process, so many at a time. */
interface Places {
  readonly running: ReadonlySet<Promise<void>>;
  begin(next: Claim): void;
  /** Only something urgent may still begin. */
  isBulkFull(): boolean;
}

function createPlaces(deps: DeliveryDeps, shard: number, budget: Budget, stop: AbortSignal, ended: () => void): Places {
  const running = new Set<Promise<void>>();
  /** Numbers of the rows of the counts that no hand-over is using: two on one row would wait for each other's commit. */
  const slots = Array.from({ length: mostClaims }, (_, n) => shard + 1 + n);
  let bulk = 0;
  return {
    running,
    isBulkFull: () => bulk >= mostBulk,
    begin: (next) => {
      const slot = slots.pop() ?? shard;
      const weight = next.plan.priority <= leastUrgent ? 0 : 1;
      bulk += weight;
      const run = handOver(next, deps, budget, slot, stop)
        .catch((error: unknown) => {
          // The batch keeps its lease until it runs out; then it is put in order like after a crash.
          deps.log.error({ err: error, batch: next.batch.id }, 'a hand-over broke off');
        })
        .finally(() => {
          running.delete(run);
          bulk -= weight;
          slots.push(slot);
          ended();
        });
      running.add(run);
    },
  };
}

/** The dispatcher: claims what is due, most urgent first, round the workspaces, and hands it over. */
export function createWorker(deps: DeliveryDeps, shard: number): Worker {
  const budget = createBudget(mostInDoubt);
  const claim = createClaimer(deps, shard);
  const stopping = new AbortController();
  const alarm = createAlarm();
  const { running, begin, isBulkFull: urgentOnly } = createPlaces(deps, shard, budget, stopping.signal, alarm.ring);
  let loop: Promise<void> | undefined;

  /** One claim, or one wait. */
  async function turn(): Promise<void> {
    alarm.reset();
    const isFull = running.size >= mostClaims;
    const next = isFull ? undefined : await claim(urgentOnly());
    if (next !== undefined) return begin(next);
    const waitMs = isFull ? pollMs : urgentOnly() ? urgentPollMs : await untilDue();
    await alarm.wait((signal) => deps.clock.sleep(waitMs, signal));
  }

  async function untilDue(): Promise<number> {
    const now = deps.clock.now();
    const due = await deps.hot.glance((tx) => nextDue(tx, now));
    return due === undefined ? pollMs : Math.max(50, Math.min(pollMs, due.epochMilliseconds - now.epochMilliseconds));
  }

  async function main(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await turn();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        deps.log.error({ reason }, 'the dispatcher could not look for work');
        await deps.clock.sleep(troubleMs, stopping.signal);
      }
    }
  }

  return {
    start: () => {
      loop ??= main();
    },
    wake: alarm.ring,
    stop: async () => {
      stopping.abort();
      alarm.ring();
      await loop;
      await Promise.all(running);
    },
    drain: () => drain(() => claim(urgentOnly()), begin, running),
  };
}

async function drain(
  claim: () => Promise<Claim | undefined>,
  begin: (next: Claim) => void,
  running: ReadonlySet<Promise<void>>,
): Promise<void> {
  for (;;) {
    const next = await claim();
    if (next !== undefined) begin(next);
    else if (running.size === 0) return;
    else await Promise.race(running);
  }
}
