/** A place in the log of one workspace. Epochs first (a restored cluster counts transactions anew), then transactions, then ids. */
export interface Position {
  readonly epoch: number;
  readonly xid: number;
  readonly id: string;
}

/** Before the first event. */
export const nowhere: Position = { epoch: 0, xid: 0, id: '00000000-0000-0000-0000-000000000000' };

export interface ReadRow<Event> extends Position {
  readonly settled: boolean;
  readonly scanned: number;
  readonly event: Event | null;
}

export interface Progress<Event> {
  /** What to hand to the consumer. */
  readonly events: Event[];
  /** Where it stands afterwards; undefined when nothing new may be read yet. */
  readonly to: Position | undefined;
  /** Read on at once. */
  readonly more: boolean;
  /** Something lies behind a transaction that still runs: look again shortly. */
  readonly blocked: boolean;
}

/**
 * What a page of the log lets a consumer do. It stops before the first unsettled row, even if settled-looking
 * ones follow: whatever commits later with a lower transaction id must still find its place ahead.
 */
export function progressThrough<Event>(rows: readonly ReadRow<Event>[], pageSize: number): Progress<Event> {
  const firstUnsettled = rows.findIndex((row) => !row.settled);
  const settled = firstUnsettled === -1 ? rows : rows.slice(0, firstUnsettled);
  const last = settled.at(-1);
  return {
    events: settled.flatMap((row) => (row.event === null ? [] : [row.event])),
    to: last === undefined ? undefined : { epoch: last.epoch, xid: last.xid, id: last.id },
    more: firstUnsettled === -1 && (rows[0]?.scanned ?? 0) >= pageSize,
    blocked: firstUnsettled !== -1,
  };
}
