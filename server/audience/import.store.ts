import type { Tx } from '../platform/db.ts';
import type { AttributeType } from './attribute.rules.ts';
import type { Notation } from './notation.rules.ts';
import type { Delimiter, Encoding } from './csv-detect.rules.ts';

export type ImportState = 'running' | 'done' | 'failed' | 'cancelled';

export type LegalBasis = 'consent' | 'contract' | 'legitimate-interest';

export interface ImportEvidence {
  readonly source: string;
  readonly textVersion?: string | undefined;
  readonly at?: string | undefined;
}

/** Consent that the uploader vouches for, with its evidence; checked when the file came. */
export interface ImportConsent {
  readonly channel: string;
  readonly topic: string;
  readonly topicId: string;
  readonly basis: LegalBasis;
  readonly evidence: ImportEvidence;
  /** When it was given, RFC 3339. */
  readonly at: string;
}

/** Everything that was decided when the file came in; the run needs nothing else, so it can be taken up anywhere. */
export interface ImportSettings {
  readonly delimiter: Delimiter;
  /** What the file came in; it is kept as UTF-8. */
  readonly encoding: Encoding;
  readonly lineEnds: readonly string[];
  /** Byte of the kept file at which the header starts, and the lines before it. */
  readonly start: Cursor;
  readonly columns: readonly {
    readonly name: string;
    readonly field: string;
    readonly type: AttributeType | null;
    readonly notation?: Notation | null;
  }[];
  readonly defaultCountry: string | null;
  readonly dryRun: boolean;
  readonly consent: ImportConsent | null;
}

/** Bytes of the kept file that are in, and the line ends among them. */
export interface Cursor {
  readonly offset: number;
  readonly lines: number;
}

export interface Counts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
}

export interface ImportRow extends Counts {
  readonly id: string;
  readonly state: ImportState;
  readonly fileName: string;
  readonly objectKey: string;
  readonly settings: ImportSettings;
  readonly bytesTotal: number;
  readonly bytesDone: number;
  readonly rowsRead: number;
  readonly cursor: Cursor | null;
  readonly failure: string | null;
  readonly cancelRequested: boolean;
  readonly stalls: number;
  readonly uploadKept: boolean;
  readonly requestedBy: string;
  readonly createdAt: Temporal.Instant;
  readonly startedAt: Temporal.Instant | null;
  readonly endedAt: Temporal.Instant | null;
}

const columns = `id, state, file_name as "fileName", object_key as "objectKey", options as settings, bytes_total as "bytesTotal",
  bytes_done as "bytesDone", rows_read as "rowsRead", created, updated, unchanged, rejected, cursor, failure,
  cancel_requested as "cancelRequested", stalls, upload_kept as "uploadKept", requested_by as "requestedBy",
  created_at as "createdAt", started_at as "startedAt", ended_at as "endedAt"`;

export interface NewImport {
  readonly id: string;
  readonly fileName: string;
  readonly objectKey: string;
  readonly settings: ImportSettings;
  readonly bytesTotal: number;
  readonly requestedBy: string;
}

export async function insertImport(tx: Tx, row: NewImport, at: Temporal.Instant): Promise<void> {
  await tx.query(
    `insert into contact_import (workspace_id, id, state, file_name, object_key, options, bytes_total, requested_by, created_at)
     values ($1, $2, 'running', $3, $4, $5, $6, $7, $8)`,
    [
      tx.workspaceId,
      row.id,
      row.fileName,
      row.objectKey,
      JSON.stringify(row.settings),
      row.bytesTotal,
      row.requestedBy,
      at,
    ],
  );
}

export async function findImport(tx: Tx, id: string, lock = false): Promise<ImportRow | undefined> {
  const text = `select ${columns} from contact_import where workspace_id = $1 and id = $2${lock ? ' for update' : ''}`;
  return (await tx.query<ImportRow>(text, [tx.workspaceId, id]))[0];
}

export async function listImports(
  tx: Tx,
  { state, after, limit }: { state: ImportState | undefined; after: string | undefined; limit: number },
): Promise<ImportRow[]> {
  return tx.query(
    `select ${columns} from contact_import
     where workspace_id = $1 and ($2::text is null or state = $2) and ($3::uuid is null or id < $3) order by id desc limit $4`,
    [tx.workspaceId, state ?? null, after ?? null, limit],
  );
}

export async function requestCancel(tx: Tx, id: string): Promise<void> {
  await tx.query('update contact_import set cancel_requested = true where workspace_id = $1 and id = $2', [
    tx.workspaceId,
    id,
  ]);
}

/** Taken up by a worker; a dry run starts over, since it writes nothing that would tell it where it was. */
export async function markStarted(tx: Tx, id: string, at: Temporal.Instant): Promise<void> {
  await tx.query(
    'update contact_import set started_at = coalesce(started_at, $3), stalls = stalls + 1 where workspace_id = $1 and id = $2',
    [tx.workspaceId, id, at],
  );
}

export async function startOver(tx: Tx, id: string): Promise<void> {
  await tx.query('delete from import_rejection where workspace_id = $1 and import_id = $2', [tx.workspaceId, id]);
  await tx.query(
    `update contact_import set cursor = null, bytes_done = 0, rows_read = 0, created = 0, updated = 0, unchanged = 0, rejected = 0
     where workspace_id = $1 and id = $2`,
    [tx.workspaceId, id],
  );
}

const moveText = `
  update contact_import
  set cursor = $4::jsonb, bytes_done = $5, rows_read = rows_read + $6 + $7 + $8 + $9, created = created + $6, updated = updated + $7,
      unchanged = unchanged + $8, rejected = rejected + $9, stalls = 0
  where workspace_id = $1 and id = $2 and state = 'running'
    and coalesce((cursor ->> 'offset')::bigint, -1) = $3
  returning cancel_requested as "cancelRequested"`;

/** Moves the cursor in the transaction of its page. Undefined when another worker moved it: this one has to let go. */
export async function moveCursor(
  tx: Tx,
  id: string,
  from: Cursor | null,
  to: Cursor,
  counts: Counts,
): Promise<{ cancelRequested: boolean } | undefined> {
  const { created, updated, unchanged, rejected } = counts;
  const rows = await tx.hot<{ cancelRequested: boolean }>(moveText, [
    tx.workspaceId,
    id,
    from?.offset ?? -1,
    JSON.stringify(to),
    to.offset,
    created,
    updated,
    unchanged,
    rejected,
  ]);
  return rows[0];
}

export async function endImport(
  tx: Tx,
  id: string,
  end: { state: Exclude<ImportState, 'running'>; failure: string | null; at: Temporal.Instant },
): Promise<boolean> {
  const rows = await tx.query(
    `update contact_import set state = $3, failure = $4, ended_at = $5,
       bytes_done = case when $3 = 'done' then bytes_total else bytes_done end
     where workspace_id = $1 and id = $2 and state = 'running' returning id`,
    [tx.workspaceId, id, end.state, end.failure, end.at],
  );
  return rows.length > 0;
}

export interface Rejection {
  readonly line: number;
  readonly field: string;
  readonly reason: string;
}

export async function insertRejections(tx: Tx, importId: string, rejections: readonly Rejection[]): Promise<void> {
  if (rejections.length === 0) return;
  await tx.hot(
    `insert into import_rejection (workspace_id, import_id, line, field, reason)
     select $1, $2, k.line, k.field, k.reason from unnest($3::int[], $4::text[], $5::text[]) as k (line, field, reason)
     on conflict do nothing`,
    [
      tx.workspaceId,
      importId,
      rejections.map((one) => one.line),
      rejections.map((one) => one.field),
      rejections.map((one) => one.reason),
    ],
  );
}

/** One entry a line: the fields and reasons of a row that has several. */
export async function listRejections(tx: Tx, importId: string, afterLine: number, limit: number): Promise<Rejection[]> {
  return tx.query(
    `select line, string_agg(field, ', ' order by field) as field, string_agg(field || ': ' || reason, '; ' order by field) as reason
     from import_rejection where workspace_id = $1 and import_id = $2 and line > $3 group by line order by line limit $4`,
    [tx.workspaceId, importId, afterLine, limit],
  );
}

/** Imports that have ended whose file is still kept, oldest first. */
export async function keptUploads(tx: Tx, endedBefore: Temporal.Instant): Promise<{ id: string; objectKey: string }[]> {
  return tx.query(
    `select id, object_key as "objectKey" from contact_import
     where workspace_id = $1 and upload_kept and state <> 'running' and ended_at < $2 order by ended_at limit 1000`,
    [tx.workspaceId, endedBefore],
  );
}

/** Which of some files belong to imports. */
export async function keysInUse(tx: Tx, keys: readonly string[]): Promise<string[]> {
  const rows = await tx.query<{ key: string }>(
    'select object_key as key from contact_import where workspace_id = $1 and object_key = any($2::text[])',
    [tx.workspaceId, keys],
  );
  return rows.map((row) => row.key);
}

export async function markUploadGone(tx: Tx, id: string): Promise<void> {
  await tx.query('update contact_import set upload_kept = false where workspace_id = $1 and id = $2', [
    tx.workspaceId,
    id,
  ]);
}
