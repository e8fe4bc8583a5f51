import { createBudget } from './budget.ts';
import { claimNext } from './claim.ts';
import type { Claim } from './claim.ts';
import { dueWorkspaces, nextDue } from './claim.store.ts';
import { handOver } from './handover.ts';
import type { DeliveryDeps } from './ports.ts';

/** What a kill of this process can at most leave in doubt. */
export const mostInDoubt = 64;
/** Batches at once: more than one, so that a slow lane does not stand before the others. */
export const mostClaims = 4;
const pollMs = 5_000;
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

/** Claims for one process: from the workspace whose turn it is; undefined when nothing is due anywhere. */
function createClaimer(deps: DeliveryDeps, shard: number): () => Promise<Claim | undefined> {
  let last = '';
  const claimIn = async (workspaceId: string): Promise<Claim | undefined> => {
    for (;;) {
      const answer = await deps.hot.transaction(workspaceId, (tx) => claimNext(tx, deps, shard));
      if (answer !== 'again') return answer;
    }
  };
  return async () => {
    const due = await deps.hot.system((tx) => dueWorkspaces(tx, deps.clock.now()));
    for (const workspaceId of inTurn(due, last)) {
      const claim = await claimIn(workspaceId);
      if (claim === undefined) continue;
      last = workspaceId;
      return claim;
    }
    return undefined;
  };
}

/** The dispatcher: claims what is due, most urgent first, round the workspaces, and hands it over. */
export function createWorker(deps: DeliveryDeps, shard: number): Worker {
  const budget = createBudget(mostInDoubt);
  const claim = createClaimer(deps, shard);
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  const alarm = createAlarm();
  let loop: Promise<void> | undefined;

  /** Numbers of the rows of the counts that no hand-over is using: two on one row would wait for each other's commit. */
  const slots = Array.from({ length: mostClaims }, (_, n) => shard + 1 + n);

  function begin(next: Claim): void {
    const slot = slots.pop() ?? shard;
    const run = handOver(next, deps, budget, slot, stopping.signal)
      .catch((error: unknown) => {
        // The batch keeps its lease until it runs out; then it is put in order like after a crash.
        deps.log.error({ err: error, batch: next.batch.id }, 'a hand-over broke off');
      })
      .finally(() => {
        running.delete(run);
        slots.push(slot);
        alarm.ring();
      });
    running.add(run);
  }

  /** One claim, or one wait. */
  async function turn(): Promise<void> {
    alarm.reset();
    const next = running.size >= mostClaims ? undefined : await claim();
    if (next !== undefined) return begin(next);
    const due = running.size >= mostClaims ? undefined : await deps.hot.system(nextDue);
    const untilDue = due === undefined ? pollMs : due.epochMilliseconds - deps.clock.now().epochMilliseconds;
    await alarm.wait((signal) => deps.clock.sleep(Math.max(50, Math.min(pollMs, untilDue)), signal));
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
    drain: () => drain(claim, begin, running),
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

/** Workspaces with due work, most urgent priority first; among equals the one after the last served begins. */
export function inTurn(due: readonly { workspaceId: string; priority: number }[], last: string): string[] {
  const rank = (one: { workspaceId: string }) => (one.workspaceId > last ? 0 : 1);
  return [...due]
    .sort((a, b) => a.priority - b.priority || rank(a) - rank(b) || (a.workspaceId < b.workspaceId ? -1 : 1))
    .map((one) => one.workspaceId);
}
