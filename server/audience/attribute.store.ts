import type { Tx } from '../platform/db.ts';
import type { AttributeType } from './attribute.rules.ts';

export interface AttributeRow {
  readonly key: string;
  readonly label: string;
  readonly type: AttributeType;
  readonly createdAt: Temporal.Instant;
}

const columns = `key, label, type, created_at as "createdAt"`;

export async function listAttributes(tx: Tx): Promise<AttributeRow[]> {
  return tx.hot(`select ${columns} from attribute where workspace_id = $1 order by key`, [tx.workspaceId]);
}

export interface AttributeDraft {
  readonly key: string;
  readonly label: string;
  readonly type: AttributeType;
}

/** Those that are defined already stay as they are. Returns what was added. */
export async function addAttributes(
  tx: Tx,
  drafts: readonly AttributeDraft[],
  at: Temporal.Instant,
): Promise<AttributeRow[]> {
  if (drafts.length === 0) return [];
  return tx.hot(
    `insert into attribute (workspace_id, key, label, type, created_at)
     select $1, k.key, k.label, k.type, $5 from unnest($2::text[], $3::text[], $4::text[]) as k (key, label, type)
     on conflict do nothing returning ${columns}`,
    [tx.workspaceId, drafts.map((one) => one.key), drafts.map((one) => one.label), drafts.map((one) => one.type), at],
  );
}

export async function renameAttribute(tx: Tx, key: string, label: string): Promise<AttributeRow | undefined> {
  const rows = await tx.query<AttributeRow>(
    `update attribute set label = $3 where workspace_id = $1 and key = $2 returning ${columns}`,
    [tx.workspaceId, key, label],
  );
  return rows[0];
}
