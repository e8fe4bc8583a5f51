import type { Actor } from '../../contract/actor.ts';
import type { ContentSource } from '../../contract/template-content.ts';
import type { TemplateProblem, TemplateSource } from '../../contract/templates.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, notFound } from '../platform/errors.ts';
import { compileTemplate } from './compile.ts';
import type { AnyCompiled } from './compiled.ts';
import { compileContent } from './content-compile.rules.ts';
import type { Compilation } from './findings.rules.ts';
import { invalidTemplate } from './errors.ts';
import { createMjmlCompiler } from './mjml.ts';
import type { MjmlCompiler } from './mjml.ts';
import type { PreviewResult, RenderData } from './render.rules.ts';
import { createRendererCache, rendererOf } from './renderers.ts';
import type { AnyRenderer } from './renderers.ts';
import { sampleFor } from './sample.rules.ts';
import { isSameSource, mergeSource } from './source.rules.ts';
import type { SourceGiven } from './source.rules.ts';
import * as store from './store.ts';
import type { TemplateCategory, TemplateRow, VersionRow } from './store.ts';
import type { CompiledVariable } from './variables.rules.ts';

export interface TemplatesDeps {
  readonly clock: Clock;
}

/** What a sender needs to know before it plans. */
export interface TemplateFacts {
  readonly id: string;
  readonly name: string;
  readonly channel: string;
  readonly category: TemplateCategory;
  readonly locale: string;
  readonly currentVersion: number;
  readonly archived: boolean;
}

export interface NewTemplate {
  readonly id: string;
  readonly name: string;
  readonly category: TemplateCategory;
  readonly locale: string;
  /** Names the channel. */
  readonly source: TemplateSource;
}

/** A source with what else decides how it is compiled. */
export interface Written {
  readonly source: TemplateSource;
  readonly category: TemplateCategory;
  readonly locale: string;
}

export interface TemplateChange {
  readonly name?: string | undefined;
  readonly category?: TemplateCategory | undefined;
  readonly locale?: string | undefined;
  readonly source?: SourceGiven;
  readonly archived?: boolean | undefined;
}

export interface StoredTemplate {
  readonly row: TemplateRow;
  readonly version: VersionRow;
}

/** Whom a preview is for; without data, values are made up. */
export interface PreviewFor {
  readonly contact?: Readonly<Record<string, unknown>> | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  readonly workspace: RenderData['workspace'];
}

export interface Preview extends Omit<PreviewResult, 'faults'> {
  /** Of what is no e-mail. */
  readonly content: ContentSource | null;
  readonly variables: readonly CompiledVariable[];
  readonly problems: readonly TemplateProblem[];
}

export interface Templates {
  find(tx: Tx, id: string): Promise<TemplateFacts | undefined>;
  /** By id, in one look-up; those that are not there are left out. */
  findMany(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, TemplateFacts>>;
  get(tx: Tx, id: string): Promise<StoredTemplate>;
  version(tx: Tx, id: string, version: number): Promise<VersionRow>;
  create(tx: Tx, given: NewTemplate, by: Actor): Promise<StoredTemplate>;
  /** `expect` is called with the stored revision before anything changes. */
  change(tx: Tx, id: string, change: TemplateChange, by: Actor, expect: (revision: number) => void): Promise<Changed>;
  /** Parsed and cached; throws `not-found` when there is no such version. */
  renderer(tx: Tx, id: string, version: number): Promise<AnyRenderer>;
  /** Paths a version reads, and whether it can do without them. */
  variables(tx: Tx, id: string, version: number): Promise<readonly CompiledVariable[]>;
  /** Where a click on link `n` leads; undefined when nowhere safe. */
  resolveLink(tx: Tx, id: string, version: number, n: number, data: RenderData): Promise<string | undefined>;
  previewSource(written: Written, who: PreviewFor): Promise<Preview>;
  previewVersion(tx: Tx, id: string, version: number | undefined, who: PreviewFor): Promise<Preview>;
  /** What a test is rendered with: what is given, else made-up values. */
  dataFor(tx: Tx, id: string, version: number, who: PreviewFor): Promise<SampleData>;
  close(): Promise<void>;
}

export type SampleData = Required<Pick<RenderData, 'contact'>> & {
  readonly variables: Readonly<Record<string, unknown>>;
};

export interface Changed {
  readonly before: TemplateRow;
  readonly after: StoredTemplate;
}

/** In a preview, links lead where they would lead, and nothing is counted. */
function previewUrls(renderer: AnyRenderer, data: RenderData) {
  return {
    click: (n: number) => renderer.resolveLink(n, data) ?? '#',
    open: 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==',
    unsubscribe: '#unsubscribe',
    preferences: '#preferences',
  };
}

function sampleData(
  { compiled }: Pick<AnyRenderer, 'compiled'>,
  who: Pick<PreviewFor, 'contact' | 'variables'>,
): SampleData {
  return {
    contact: who.contact ?? sampleFor(compiled.variables, 'contact'),
    variables: who.variables ?? sampleFor(compiled.variables, 'variables'),
  };
}

const nothing = { subject: null, html: null, text: null, content: null } as const;

function previewWith(
  renderer: AnyRenderer,
  who: PreviewFor,
  source: TemplateSource,
  known: readonly TemplateProblem[],
): Preview {
  const { variables } = renderer.compiled;
  const data: RenderData = { ...sampleData(renderer, who), workspace: who.workspace };
  const input = { ...data, urls: previewUrls(renderer, data) };
  const problemsWith = (faults: readonly { readonly where: string; readonly message: string }[]) => [
    ...known,
    ...faults.map(({ where, message }): TemplateProblem => ({ severity: 'error', where, line: null, message })),
  ];
  if (renderer.channel !== 'email') {
    const { content, faults } = renderer.preview(input);
    return { ...nothing, content, variables, problems: problemsWith(faults) };
  }
  const { faults, ...rendered } = renderer.preview(input);
  const htmlPart = source.channel === 'email' && source.mjml !== null ? 'mjml' : 'html';
  const found = faults.map((one) => (one.where === 'html' ? { ...one, where: htmlPart } : one));
  return { ...rendered, content: null, variables, problems: problemsWith(found) };
}

async function compileAny(
  { source, category, locale }: Written,
  mjml: MjmlCompiler,
): Promise<Compilation<AnyCompiled>> {
  if (source.channel === 'email') return compileTemplate({ ...source, category, locale }, mjml);
  return compileContent({ source, category, locale });
}

async function getRow(tx: Tx, id: string, lock = false): Promise<TemplateRow> {
  const row = await store.findTemplate(tx, id, lock);
  if (row === undefined) throw notFound('template');
  return row;
}

async function getVersion(tx: Tx, id: string, version: number): Promise<VersionRow> {
  const row = await store.findVersion(tx, id, version);
  if (row === undefined) throw notFound('version of the template');
  return row;
}

async function get(tx: Tx, id: string): Promise<StoredTemplate> {
  const row = await getRow(tx, id);
  return { row, version: await getVersion(tx, id, row.current_version) };
}

function factsOf({ id, name, channel, category, locale, current_version, archived_at }: TemplateRow): TemplateFacts {
  return { id, name, channel, category, locale, currentVersion: current_version, archived: archived_at !== null };
}

async function find(tx: Tx, id: string): Promise<TemplateFacts | undefined> {
  const row = await store.findTemplate(tx, id);
  return row === undefined ? undefined : factsOf(row);
}

async function findMany(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, TemplateFacts>> {
  const rows = await store.findTemplates(tx, [...new Set(ids)]);
  return new Map(rows.map((row) => [row.id, factsOf(row)]));
}

function createEditing(clock: Clock, mjml: MjmlCompiler): Pick<Templates, 'create' | 'change'> {
  const addVersion = async (tx: Tx, id: string, version: number, written: Written, by: Actor) => {
    const { compiled, problems } = await compileAny(written, mjml);
    if (compiled === undefined) throw invalidTemplate(problems);
    const row = { version, source: written.source, compiled: { ...compiled, warnings: problems }, created_by: by };
    await store.insertVersion(tx, id, row, clock.now());
  };
  return {
    create: async (tx, given, by) => {
      const { source, ...row } = given;
      await store.insertTemplate(tx, { ...row, channel: source.channel }, clock.now());
      await addVersion(tx, given.id, 1, given, by);
      return get(tx, given.id);
    },
    change: async (tx, id, change, by, expect) => {
      const before = await getRow(tx, id, true);
      expect(before.revision);
      if (before.archived_at !== null && change.archived !== false)
        throw new AppError('template/archived', 'Take it out of the archive before changing it.');
      const stored = await getVersion(tx, id, before.current_version);
      const source = mergeSource(stored.source, change.source ?? {});
      const category = change.category ?? before.category;
      const locale = change.locale ?? before.locale;
      const isNew = !isSameSource(source, stored.source) || category !== before.category || locale !== before.locale;
      const version = before.current_version + (isNew ? 1 : 0);
      if (isNew) await addVersion(tx, id, version, { source, category, locale }, by);
      const kept = { name: change.name ?? before.name, category, locale, current_version: version };
      const archived_at = change.archived === undefined ? before.archived_at : change.archived ? clock.now() : null;
      await store.updateTemplate(tx, id, { ...kept, archived_at }, clock.now());
      return { before, after: await get(tx, id) };
    },
  };
}

export function createTemplates({ clock }: TemplatesDeps): Templates {
  const mjml = createMjmlCompiler();
  const now = () => clock.now();
  const cache = createRendererCache(now);
  const stored = async (tx: Tx, id: string, version: number): Promise<AnyRenderer> => {
    const key = `${tx.workspaceId} ${id} ${version}`;
    return cache.get(key) ?? cache.put(key, (await getVersion(tx, id, version)).compiled);
  };
  return {
    ...createEditing(clock, mjml),
    find,
    findMany,
    get,
    version: getVersion,
    renderer: stored,
    variables: async (tx, id, version) => (await stored(tx, id, version)).compiled.variables,
    resolveLink: async (tx, id, version, n, data) => (await stored(tx, id, version)).resolveLink(n, data),
    previewSource: async (written, who) => {
      const { compiled, problems, variables } = await compileAny(written, mjml);
      if (compiled === undefined) return { ...nothing, variables, problems };
      return previewWith(rendererOf(compiled, now), who, written.source, problems);
    },
    previewVersion: async (tx, id, wanted, who) => {
      const row = await getRow(tx, id);
      const { compiled, source } = await getVersion(tx, id, wanted ?? row.current_version);
      return previewWith(rendererOf(compiled, now), who, source, compiled.warnings);
    },
    dataFor: async (tx, id, version, who) => sampleData(await stored(tx, id, version), who),
    close: () => mjml.close(),
  };
}
