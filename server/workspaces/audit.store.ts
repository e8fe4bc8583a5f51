import type { Tx } from '../platform/db.ts';
import type { ChainHead, StoredEntry } from './audit.rules.ts';

interface Row {
  seq: number;
  id: string;
  at: Temporal.Instant;
  actor_kind: string;
  actor_id: string | null;
  actor_name: string;
  action: string;
  target_kind: string | null;
  target_id: string | null;
  before: unknown;
  after: unknown;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  mac: Buffer;
}

const columns = `seq, id, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, before, after, ip, user_agent,
  request_id, mac`;

function toEntry(row: Row): StoredEntry {
  return {
    seq: row.seq,
    id: row.id,
    at: row.at,
    actorKind: row.actor_kind,
    actorId: row.actor_id,
    actorName: row.actor_name,
    action: row.action,
    targetKind: row.target_kind,
    targetId: row.target_id,
    before: row.before,
    after: row.after,
    ip: row.ip,
    userAgent: row.user_agent,
    requestId: row.request_id,
    mac: row.mac,
  };
}

/** Locks the head: who holds it writes the next entry, so entries of one workspace stand in line. */
export async function lockHead(tx: Tx): Promise<ChainHead | undefined> {
  const [head] = await tx.hot<ChainHead>('select seq, mac, seal from audit_head where workspace_id = $1 for update', [
    tx.workspaceId,
  ]);
  return head;
}

/** The head and the highest entry, of one moment. */
export async function findHead(tx: Tx): Promise<{ head: ChainHead | undefined; newestSeq: number }> {
  const [row] = await tx.query<{ newest: number | null; seq: number | null; mac: Buffer | null; seal: Buffer | null }>(
    `select (select max(seq) from audit_entry where workspace_id = $1) as newest, h.seq, h.mac, h.seal
     from (select 1) one left join audit_head h on h.workspace_id = $1`,
    [tx.workspaceId],
  );
  const known = row !== undefined && row.seq !== null && row.mac !== null && row.seal !== null;
  return {
    head: known ? { seq: row.seq ?? 0, mac: row.mac ?? Buffer.alloc(0), seal: row.seal ?? Buffer.alloc(0) } : undefined,
    newestSeq: row?.newest ?? 0,
  };
}

export async function insertHead(tx: Tx, head: ChainHead): Promise<void> {
  await tx.query(
    'insert into audit_head (workspace_id, seq, mac, seal) values ($1, $2, $3, $4) on conflict do nothing',
    [tx.workspaceId, head.seq, head.mac, head.seal],
  );
}

export async function hasEntries(tx: Tx): Promise<boolean> {
  const rows = await tx.query('select 1 from audit_entry where workspace_id = $1 limit 1', [tx.workspaceId]);
  return rows.length > 0;
}

/** One statement for the entry and the head it moves. */
export async function append(tx: Tx, entry: StoredEntry, seal: Buffer): Promise<void> {
  await tx.hot(
    `with moved as (update audit_head set seq = $2, mac = $16, seal = $17 where workspace_id = $1)
     insert into audit_entry (workspace_id, ${columns})
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      tx.workspaceId,
      entry.seq,
      entry.id,
      entry.at,
      entry.actorKind,
      entry.actorId,
      entry.actorName,
      entry.action,
      entry.targetKind,
      entry.targetId,
      json(entry.before),
      json(entry.after),
      entry.ip,
      entry.userAgent,
      entry.requestId,
      entry.mac,
      seal,
    ],
  );
}

function json(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

export async function pageAfter(tx: Tx, seq: number, upTo: number, most: number): Promise<StoredEntry[]> {
  const rows = await tx.hot<Row>(
    `select ${columns} from audit_entry where workspace_id = $1 and seq > $2 and seq <= $3 order by seq limit $4`,
    [tx.workspaceId, seq, upTo, most],
  );
  return rows.map(toEntry);
}

export interface AuditFilter {
  readonly actorId?: string | undefined;
  readonly action?: string | undefined;
  readonly targetKind?: string | undefined;
  readonly targetId?: string | undefined;
  readonly from?: Temporal.Instant | undefined;
  readonly to?: Temporal.Instant | undefined;
}

/** Newest first, below `beforeSeq`. `from` counts, `to` does not. */
export async function listEntries(
  tx: Tx,
  filter: AuditFilter,
  beforeSeq: number | undefined,
  most: number,
): Promise<StoredEntry[]> {
  let query = tx.kysely.selectFrom('audit_entry').where('workspace_id', '=', tx.workspaceId);
  if (filter.actorId !== undefined) query = query.where('actor_id', '=', filter.actorId);
  if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  if (filter.targetKind !== undefined) query = query.where('target_kind', '=', filter.targetKind);
  if (filter.targetId !== undefined) query = query.where('target_id', '=', filter.targetId);
  if (filter.from !== undefined) query = query.where('at', '>=', filter.from);
  if (filter.to !== undefined) query = query.where('at', '<', filter.to);
  if (beforeSeq !== undefined) query = query.where('seq', '<', beforeSeq);
  const rows = await query.selectAll().orderBy('seq', 'desc').limit(most).execute();
  return rows.map(toEntry);
}
