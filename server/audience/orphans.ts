import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { ObjectStore } from '../platform/objects.ts';
import { keysInUse } from './import.store.ts';

export interface OrphanDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly objects: ObjectStore;
}

/** Longer than any upload goes without a byte, or any form takes from its file to its end. */
const idleHours = 2;

/**
 * Removes files whose upload died with its process, whole or half, before an import knew of them: personal data in the
 * clear that nobody would ever ask for again. Every workspace is asked before anything goes; when one cannot be,
 * everything stays.
 */
export async function dropOrphans(
  { db, clock, objects }: OrphanDeps,
  workspaceIds: readonly string[],
): Promise<number> {
  const idle = await objects.idleSince(clock.now().subtract({ hours: idleHours }));
  const orphans = new Set(idle);
  for (const id of idle.length === 0 ? [] : workspaceIds)
    for (const key of await db.read(id, (tx) => keysInUse(tx, idle))) orphans.delete(key);
  for (const key of orphans) await objects.remove(key);
  return orphans.size;
}
