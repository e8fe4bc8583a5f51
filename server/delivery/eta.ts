import type { Tx } from '../platform/db.ts';
import { readUsed } from './lane.store.ts';
import { secondsFor } from './limit.rules.ts';
import { findPlan, readCounts } from './plan.store.ts';
import type { DeliveryDeps } from './ports.ts';
import { waitingBefore } from './read.store.ts';

/**
 * Seconds until the last waiting message of a plan has gone: at the limits of the lane it goes through, with all that
 * goes before or beside it, and not faster than it went so far. Null when neither says anything, or nothing moves.
 */
export async function planEta(
  tx: Tx,
  deps: Pick<DeliveryDeps, 'clock' | 'accountsFor'>,
  planId: string,
): Promise<number | null> {
  const plan = await findPlan(tx, planId);
  const counts = (await readCounts(tx, [planId])).get(planId);
  if (plan === undefined || counts === undefined || plan.state !== 'open') return null;
  if (counts.planned === 0) return 0;
  const now = deps.clock.now();
  const waiting = await waitingBefore(tx, plan);
  const account = (await deps.accountsFor(tx, plan.channel, plan.sender.accountId)).find((one) => !one.paused);
  if (account === undefined) return null;
  const limited = secondsFor(waiting.count, account.limits, await readUsed(tx, account.id, now), now);
  const gone = counts.accepted + counts.failed + counts.unknown + counts.suppressed;
  const sinceMs = now.epochMilliseconds - waiting.plannedAt.epochMilliseconds;
  const measured = gone === 0 || sinceMs <= 0 ? null : Math.ceil((counts.planned * sinceMs) / gone / 1_000);
  return limited === null ? measured : Math.max(limited, measured ?? 0);
}
