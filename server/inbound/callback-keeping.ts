import { discardCallback, listCallbacks, retryCallback } from '../../contract/queues.ts';
import type { KeptCallback } from '../../contract/queues.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { notFound } from '../platform/errors.ts';
import { decodeIdCursor, encodeCursor, route } from '../platform/http.ts';
import type { Caller, Route } from '../platform/http.ts';
import * as store from './callback.store.ts';
import type { KeptRow } from './callback.store.ts';

interface ActedBy {
  readonly caller: Caller;
  readonly ip: string;
  readonly userAgent: string;
  readonly requestId: string;
}

export interface KeepingDeps {
  readonly clock: Clock;
  accountNames(tx: Tx): Promise<ReadonlyMap<string, string>>;
  record(
    tx: Tx,
    by: ActedBy,
    entry: { action: string; target: { kind: string; id: string }; before: Record<string, unknown> },
  ): Promise<void>;
  /** There is something to read. */
  wake(): void;
}

/** Callbacks that wait or were given up: a person has them read again, or throws them away. What they say is shown to nobody. */
export function callbackKeepingRoutes(deps: KeepingDeps): Route[] {
  const changed = async (tx: Tx, call: ActedBy, action: string, { id, provider, tries }: KeptRow) =>
    deps.record(tx, call, { action, target: { kind: 'callback', id }, before: { provider, tries } });
  return [
    route(listCallbacks, async (tx, call) => {
      const { limit, cursor, state } = call.query;
      const rows = await store.listCallbacks(tx, state, decodeIdCursor(cursor), limit + 1);
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const names = await deps.accountNames(tx);
      return {
        data: page.map((row) => present(row, names)),
        nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last.id) : null,
      };
    }),
    route(retryCallback, async (tx, call) => {
      const row = await store.hastenCallback(tx, call.params.id, deps.clock.now());
      if (row === undefined) throw notFound('callback');
      await changed(tx, call, 'callback.retried', row);
      tx.afterCommit(deps.wake);
      return present(row, await deps.accountNames(tx));
    }),
    route(discardCallback, async (tx, call) => {
      const row = await store.discardCallback(tx, call.params.id);
      if (row === undefined) throw notFound('callback');
      await changed(tx, call, 'callback.discarded', row);
    }),
  ];
}

function present(row: KeptRow, names: ReadonlyMap<string, string>): KeptCallback {
  return {
    ...row,
    accountName: names.get(row.accountId) ?? null,
    receivedAt: row.receivedAt.toString(),
    state: row.dueAt === null ? 'given-up' : 'waiting',
    dueAt: row.dueAt?.toString() ?? null,
  };
}
