import type { Actor } from '../../contract/actor.ts';
import type { TemplateProblem, TemplateSource } from '../../contract/templates.ts';
import type { Tx } from '../platform/db.ts';
import type { AnyCompiled } from './compiled.ts';

export type TemplateCategory = 'marketing' | 'transactional' | 'otp' | 'utility';

export interface TemplateRow {
  readonly id: string;
  readonly name: string;
  readonly channel: TemplateSource['channel'];
  readonly category: TemplateCategory;
  readonly locale: string;
  readonly current_version: number;
  readonly created_at: Temporal.Instant;
  readonly updated_at: Temporal.Instant;
  readonly archived_at: Temporal.Instant | null;
  readonly revision: number;
}

/** As stored: what the renderer needs, and what its author was warned of. */
export type StoredCompiled = AnyCompiled & { readonly warnings: readonly TemplateProblem[] };

export interface VersionRow {
  readonly version: number;
  readonly source: TemplateSource;
  readonly compiled: StoredCompiled;
  readonly created_by: Actor;
  readonly created_at: Temporal.Instant;
}

const columns = [
  'id',
  'name',
  'channel',
  'category',
  'locale',
  'current_version',
  'created_at',
  'updated_at',
  'archived_at',
  'revision',
] as const;

export async function findTemplate(tx: Tx, id: string, lock = false): Promise<TemplateRow | undefined> {
  const [row] = await tx.query<TemplateRow>(
    `select ${columns.join(', ')} from template where workspace_id = $1 and id = $2${lock ? ' for update' : ''}`,
    [tx.workspaceId, id],
  );
  return row;
}

/** Those that are there. */
export async function findTemplates(tx: Tx, ids: readonly string[]): Promise<TemplateRow[]> {
  if (ids.length === 0) return [];
  return tx.hot<TemplateRow>(
    `select x.* from unnest($2::uuid[]) as k (id)
     cross join lateral (select ${columns.join(', ')} from template where workspace_id = $1 and id = k.id offset 0) x`,
    [tx.workspaceId, ids],
  );
}

export interface TemplateFilter {
  readonly q?: string | undefined;
  readonly channel?: TemplateSource['channel'] | undefined;
  readonly category?: TemplateCategory | undefined;
  readonly locale?: string | undefined;
  readonly archived: boolean;
  readonly limit: number;
  /** `updated_at` and id of the last one of the page before. */
  readonly after?: readonly [string, string] | undefined;
}

export interface TemplateListed extends TemplateRow {
  readonly source: TemplateSource;
}

export async function listTemplates(tx: Tx, filter: TemplateFilter): Promise<TemplateListed[]> {
  const values: unknown[] = [tx.workspaceId, filter.limit];
  const given = (value: unknown) => `$${values.push(value)}`;
  const conditions = [`t.archived_at is ${filter.archived ? 'not null' : 'null'}`];
  if (filter.q !== undefined)
    conditions.push(`t.name ilike ${given(`%${filter.q.replace(/[\\%_]/g, (one) => `\\${one}`)}%`)}`);
  if (filter.channel !== undefined) conditions.push(`t.channel = ${given(filter.channel)}`);
  if (filter.category !== undefined) conditions.push(`t.category = ${given(filter.category)}`);
  if (filter.locale !== undefined) conditions.push(`t.locale = ${given(filter.locale)}`);
  if (filter.after !== undefined)
    conditions.push(`(t.updated_at, t.id) < (${given(filter.after[0])}::timestamptz, ${given(filter.after[1])}::uuid)`);
  return tx.query<TemplateListed>(
    `select ${columns.map((one) => `t.${one}`).join(', ')}, case t.channel when 'email' then jsonb_build_object('channel', 'email', 'subject', v.source -> 'subject') else v.source end as source
     from template t
     join template_version v on v.workspace_id = t.workspace_id and v.template_id = t.id and v.version = t.current_version
     where t.workspace_id = $1 and ${conditions.join(' and ')}
     order by t.updated_at desc, t.id desc limit $2`,
    values,
  );
}

export async function insertTemplate(
  tx: Tx,
  row: Pick<TemplateRow, 'id' | 'name' | 'channel' | 'category' | 'locale'>,
  at: Temporal.Instant,
): Promise<void> {
  await tx.kysely
    .insertInto('template')
    .values({ ...row, workspace_id: tx.workspaceId, current_version: 1, created_at: at, updated_at: at })
    .execute();
}

export async function updateTemplate(
  tx: Tx,
  id: string,
  change: Partial<Pick<TemplateRow, 'name' | 'category' | 'locale' | 'current_version' | 'archived_at'>>,
  at: Temporal.Instant,
): Promise<void> {
  await tx.kysely
    .updateTable('template')
    .set((eb) => ({ ...change, updated_at: at, revision: eb('revision', '+', 1) }))
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', id)
    .execute();
}

export async function insertVersion(
  tx: Tx,
  templateId: string,
  row: Omit<VersionRow, 'created_at'>,
  at: Temporal.Instant,
): Promise<void> {
  await tx.kysely
    .insertInto('template_version')
    .values({
      workspace_id: tx.workspaceId,
      template_id: templateId,
      version: row.version,
      source: JSON.stringify(row.source),
      compiled: JSON.stringify(row.compiled),
      created_by: JSON.stringify(row.created_by),
      created_at: at,
    })
    .execute();
}

export async function findVersion(tx: Tx, templateId: string, version: number): Promise<VersionRow | undefined> {
  // What was written here is read here: the shapes are this file's own.
  const [row] = await tx.hot<VersionRow>(
    `select version, source, compiled, created_by, created_at from template_version
     where workspace_id = $1 and template_id = $2 and version = $3`,
    [tx.workspaceId, templateId, version],
  );
  return row;
}

export type VersionListed = Pick<VersionRow, 'version' | 'created_by' | 'created_at'>;

export async function listVersions(
  tx: Tx,
  templateId: string,
  limit: number,
  before: number | undefined,
): Promise<VersionListed[]> {
  return tx.query<VersionListed>(
    `select version, created_by, created_at from template_version
     where workspace_id = $1 and template_id = $2 and version < $3::bigint order by version desc limit $4`,
    [tx.workspaceId, templateId, before ?? Number.MAX_SAFE_INTEGER, limit],
  );
}
