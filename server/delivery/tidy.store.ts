import type { Db } from '../platform/db.ts';

const page = 20_000;
/** Answers to older messages are not tied to them any more. */
const refDays = 90;
/** Limits per person look back a day. */
const markDays = 2;

const oldRefs = `delete from message_ref where ctid = any(array(
  select ctid from message_ref where workspace_id = $1 and created_at < $2 limit ${page}))`;
const oldMarks = `delete from recipient_mark where ctid = any(array(
  select ctid from recipient_mark where workspace_id = $1 and at < $2 limit ${page}))`;

/** Part of the nightly round: what nothing looks back at any more, a page a transaction. */
export async function forgetOldDelivery(
  db: Pick<Db, 'transaction'>,
  workspaceId: string,
  now: Temporal.Instant,
): Promise<void> {
  for (const [text, days] of [
    [oldRefs, refDays],
    [oldMarks, markDays],
  ] as const) {
    const before = now.subtract({ hours: 24 * days });
    const one = () =>
      db.transaction(workspaceId, (tx) => tx.query(`${text} and workspace_id = $1 returning 1`, [workspaceId, before]));
    while ((await one()).length === page);
  }
}
