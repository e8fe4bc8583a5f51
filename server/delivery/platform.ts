import type { Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { cutBatch } from './claim.store.ts';
import type { BatchRow } from './claim.store.ts';
import { platformsOf } from './ledger.store.ts';
import { insertBatch } from './plan.store.ts';
import type { PlanRow } from './plan.store.ts';
import type { DeliveryDeps, LaneAccount } from './ports.ts';

/** A batch, and of push the platform that all of it goes to. */
export interface Platformed {
  readonly batch: BatchRow;
  readonly platform: string | undefined;
}

/**
 * A token of one platform is of no use to the account of another, so a batch of push messages is handed over to one
 * platform: what goes to others is put into batches of its own. The batch is locked. Done at the claim, where every batch
 * comes by, however it was put together; once begun, it has been done.
 */
export async function onePlatform(
  tx: Tx,
  deps: Pick<DeliveryDeps, 'clock'>,
  plan: PlanRow,
  batch: BatchRow,
): Promise<Platformed> {
  if (plan.channel !== 'push') return { batch, platform: undefined };
  const left = batch.messageIds.slice(batch.begun);
  const platforms = await platformsOf(tx, batch.planMonth, left);
  const platform = platforms.get(left.find((id) => platforms.has(id)) ?? '');
  if (batch.begun > 0) return { batch, platform };
  // One whose address is gone fits anywhere: the gate says what becomes of it.
  const isHere = (id: string) => (platforms.get(id) ?? platform) === platform;
  const others = Map.groupBy(
    left.filter((id) => !isHere(id)),
    (id) => platforms.get(id),
  );
  if (others.size === 0) return { batch, platform };
  const messageIds = left.filter(isHere);
  await cutBatch(tx, batch.id, messageIds);
  const dueAt = plan.state === 'paused' ? 'infinity' : deps.clock.now();
  for (const ids of others.values()) await insertBatch(tx, plan, newId(deps.clock), ids, dueAt);
  return { batch: { ...batch, messageIds, size: messageIds.length }, platform };
}

/** The accounts of the platform; where there is none, all: the composer refuses, and says why. */
export function onPlatform(accounts: readonly LaneAccount[], platform: string | undefined): readonly LaneAccount[] {
  if (platform === undefined) return accounts;
  const fitting = accounts.filter((one) => one.kind === platform);
  return fitting.length === 0 ? accounts : fitting;
}
