import type { Tx } from '../platform/db.ts';

/** All that is written to `sandbox_message` and `sandbox_scenario`. */

export type Channel = 'email' | 'sms' | 'whatsapp' | 'push' | 'inapp';

export interface CaughtRow {
  readonly id: string;
  readonly channel: Channel;
  /** `smtp`, or the name of the vendor that was played. */
  readonly vendor: string;
  readonly recipientHash: Buffer;
  readonly summary: Buffer;
  readonly sealed: Buffer;
  readonly sizeBytes: number;
}

/**
 * Many at once. The bytes travel as one value and are cut apart in the database: an array of bytea would go as text,
 * twice the size, and a parameter per value would need a statement per number of rows.
 */
export async function insertCaught(tx: Tx, rows: readonly CaughtRow[], receivedAt: Temporal.Instant): Promise<void> {
  const bytes: Buffer[] = [];
  const starts: number[] = [];
  let at = 1;
  for (const row of rows) {
    starts.push(at);
    bytes.push(row.recipientHash, row.summary, row.sealed);
    at += row.recipientHash.length + row.summary.length + row.sealed.length;
  }
  await tx.hot(
    `insert into sandbox_message (workspace_id, id, channel, vendor, recipient_hash, summary, sealed, size_bytes, received_at)
     select $1, r.id, r.channel, r.vendor, substring(b.bytes from r.start for 16), substring(b.bytes from r.start + 16 for r.summary),
            substring(b.bytes from r.start + 16 + r.summary for r.sealed), r.size, $10
     from (select $2::bytea as bytes) b,
          unnest($3::uuid[], $4::text[], $5::text[], $6::integer[], $7::integer[], $8::integer[], $9::integer[])
            as r (id, channel, vendor, start, summary, sealed, size)
     on conflict do nothing`,
    [
      tx.workspaceId,
      Buffer.concat(bytes),
      rows.map((row) => row.id),
      rows.map((row) => row.channel),
      rows.map((row) => row.vendor),
      starts,
      rows.map((row) => row.summary.length),
      rows.map((row) => row.sealed.length),
      rows.map((row) => row.sizeBytes),
      receivedAt,
    ],
  );
}

export interface ListedRow {
  readonly id: string;
  readonly channel: Channel;
  readonly vendor: string;
  readonly summary: Buffer;
  readonly sizeBytes: number;
  readonly receivedAt: Temporal.Instant;
}

export interface CaughtFilter {
  readonly recipientHash: Buffer | undefined;
  readonly channel: string | undefined;
  readonly vendor: string | undefined;
  /** Ids are in the order of time: these bound it. */
  readonly before: string | undefined;
  readonly from: string | undefined;
  readonly most: number;
}

const noId = '00000000-0000-0000-0000-000000000000';
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Newest first. Two statements, so that each has one plan: along the recipient's index or along the key. */
export async function listCaught(tx: Tx, filter: CaughtFilter): Promise<ListedRow[]> {
  const columns = `id, channel, vendor, summary, size_bytes as "sizeBytes", received_at as "receivedAt"`;
  const range = `workspace_id = $1 and id < $2 and id >= $3 and ($4::text is null or channel = $4)
    and ($5::text is null or vendor = $5)`;
  const values = [
    tx.workspaceId,
    filter.before ?? lastId,
    filter.from ?? noId,
    filter.channel ?? null,
    filter.vendor ?? null,
    filter.most,
  ];
  if (filter.recipientHash === undefined) {
    return tx.query<ListedRow>(
      `select ${columns} from sandbox_message where ${range} order by id desc limit $6`,
      values,
    );
  }
  return tx.query<ListedRow>(
    `select ${columns} from sandbox_message where ${range} and recipient_hash = $7 order by recipient_hash desc, id desc limit $6`,
    [...values, filter.recipientHash],
  );
}

export async function findCaught(tx: Tx, id: string): Promise<(ListedRow & { sealed: Buffer }) | undefined> {
  const [row] = await tx.query<ListedRow & { sealed: Buffer }>(
    `select id, channel, vendor, summary, size_bytes as "sizeBytes", received_at as "receivedAt", sealed
     from sandbox_message where workspace_id = $1 and id = $2`,
    [tx.workspaceId, id],
  );
  return row;
}

/** Keeps the newest. */
export async function dropOldest(tx: Tx, keep: number): Promise<number> {
  const rows = await tx.query<{ count: number }>(
    `with gone as (
       delete from sandbox_message where workspace_id = $1 and id <= (
         select id from sandbox_message where workspace_id = $1 order by id desc offset $2 limit 1)
       returning 1)
     select count(*) as count from gone`,
    [tx.workspaceId, keep],
  );
  return rows[0]?.count ?? 0;
}

/** At most so many at a time: a transaction stays short. */
export async function deleteCaught(tx: Tx, most: number): Promise<number> {
  const rows = await tx.query<{ count: number }>(
    `with gone as (
       delete from sandbox_message where workspace_id = $1 and id in (
         select id from sandbox_message where workspace_id = $1 order by id limit $2)
       returning 1)
     select count(*) as count from gone`,
    [tx.workspaceId, most],
  );
  return rows[0]?.count ?? 0;
}

export async function findScenario(tx: Tx): Promise<unknown> {
  const [row] = await tx.query<{ scenario: unknown }>('select scenario from sandbox_scenario where workspace_id = $1', [
    tx.workspaceId,
  ]);
  return row?.scenario;
}

export async function writeScenario(tx: Tx, scenario: object, updatedAt: Temporal.Instant): Promise<void> {
  await tx.query(
    `insert into sandbox_scenario (workspace_id, scenario, updated_at) values ($1, $2::jsonb, $3)
     on conflict (workspace_id) do update set scenario = excluded.scenario, updated_at = excluded.updated_at`,
    [tx.workspaceId, JSON.stringify(scenario), updatedAt],
  );
}
