import { createBudget } from './budget.ts';
import { claimNext } from './claim.ts';
import type { Claim } from './claim.ts';
import { dueWorkspaces, nextDue } from './claim.store.ts';
import { handOver } from './handover.ts';
import type { DeliveryDeps } from './ports.ts';

/** What a kill of this process can at most leave in doubt. */
export const mostInDoubt = 64;
/** Batches at once: more than one, so that a slow lane does not stand before the others. */
const mostClaims = 3;
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

/** The dispatcher: claims what is due, most urgent first, round the workspaces, and hands it over. */
export function createWorker(deps: DeliveryDeps, shard: number): Worker {
  const budget = createBudget(mostInDoubt);
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  let wakeUp: () => void = () => undefined;
  let woken = false;
  let loop: Promise<void> | undefined;
  let lastWorkspace = '';

  const wake = () => {
    woken = true;
    wakeUp();
  };

  /** One claim from the workspace whose turn it is; undefined when nothing is due anywhere. */
  async function claim(): Promise<Claim | undefined> {
    const due = await deps.hot.system((tx) => dueWorkspaces(tx, deps.clock.now()));
    for (const workspaceId of inTurn(due, lastWorkspace)) {
      for (;;) {
        const answer = await deps.hot.transaction(workspaceId, (tx) => claimNext(tx, deps, shard));
        if (answer === 'again') continue;
        if (answer === undefined) break;
        lastWorkspace = workspaceId;
        return answer;
      }
    }
    return undefined;
  }

  function begin(next: Claim): void {
    const run = handOver(next, deps, budget, shard, stopping.signal)
      .catch((error: unknown) => {
        // The batch keeps its lease until it runs out; then it is put in order like after a crash.
        deps.log.error({ err: error, batch: next.batch.id }, 'a hand-over broke off');
      })
      .finally(() => {
        running.delete(run);
        wake();
      });
    running.add(run);
  }

  async function turn(): Promise<boolean> {
    if (running.size >= mostClaims) return false;
    const next = await claim();
    if (next !== undefined) begin(next);
    return next !== undefined;
  }

  async function idle(): Promise<void> {
    const due = running.size >= mostClaims ? undefined : await deps.hot.system(nextDue);
    const untilDue = due === undefined ? pollMs : due.epochMilliseconds - deps.clock.now().epochMilliseconds;
    const slept = new AbortController();
    if (woken) return;
    await Promise.race([
      new Promise<void>((resolve) => (wakeUp = resolve)),
      deps.clock.sleep(Math.max(50, Math.min(pollMs, untilDue)), slept.signal),
    ]);
    slept.abort();
  }

  async function main(): Promise<void> {
    while (!stopping.signal.aborted) {
      woken = false;
      try {
        if (!(await turn())) await idle();
      } catch (error) {
        deps.log.error(
          { reason: error instanceof Error ? error.message : String(error) },
          'the dispatcher could not look for work',
        );
        await deps.clock.sleep(troubleMs, stopping.signal);
      }
    }
  }

  return {
    start: () => {
      loop ??= main();
    },
    wake,
    stop: async () => {
      stopping.abort();
      wake();
      await loop;
      await Promise.all(running);
    },
    drain: async () => {
      for (;;) {
        const next = await claim();
        if (next !== undefined) begin(next);
        else if (running.size === 0) return;
        else await Promise.race(running);
      }
    },
  };
}

/** Workspaces with due work, most urgent priority first; among equals the one after the last served begins. */
export function inTurn(due: readonly { workspaceId: string; priority: number }[], last: string): string[] {
  const rank = (one: { workspaceId: string }) => (one.workspaceId > last ? 0 : 1);
  return [...due]
    .sort((a, b) => a.priority - b.priority || rank(a) - rank(b) || (a.workspaceId < b.workspaceId ? -1 : 1))
    .map((one) => one.workspaceId);
}
