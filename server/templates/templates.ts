import type { Actor } from '../../contract/actor.ts';
import type { TemplateProblem, TemplateSource } from '../../contract/templates.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, notFound } from '../platform/errors.ts';
import { compileTemplate } from './compile.ts';
import type { CompileInput } from './compile.ts';
import { invalidTemplate } from './errors.ts';
import { createMjmlCompiler } from './mjml.ts';
import type { MjmlCompiler } from './mjml.ts';
import { createRenderer } from './render.rules.ts';
import type { PreviewResult, RenderData, Renderer } from './render.rules.ts';
import { createRendererCache } from './renderers.ts';
import { sampleFor } from './sample.rules.ts';
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
  readonly channel: string;
  readonly category: TemplateCategory;
  readonly locale: string;
  readonly source: TemplateSource;
}

export interface TemplateChange {
  readonly name?: string | undefined;
  readonly category?: TemplateCategory | undefined;
  readonly locale?: string | undefined;
  readonly source?: { readonly [Part in keyof TemplateSource]?: string | null | undefined };
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
  renderer(tx: Tx, id: string, version: number): Promise<Renderer>;
  /** Paths a version reads, and whether it can do without them. */
  variables(tx: Tx, id: string, version: number): Promise<readonly CompiledVariable[]>;
  /** Where a click on link `n` leads; undefined when nowhere safe. */
  resolveLink(tx: Tx, id: string, version: number, n: number, data: RenderData): Promise<string | undefined>;
  previewSource(input: CompileInput, who: PreviewFor): Promise<Preview>;
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

const parts = ['subject', 'preheader', 'mjml', 'html', 'text'] as const;

/** Giving one of `mjml` and `html` clears the other. */
export function mergeSource(before: TemplateSource, change: NonNullable<TemplateChange['source']>): TemplateSource {
  const merged = { ...before };
  if (typeof change.mjml === 'string' && change.html === undefined) merged.html = null;
  if (typeof change.html === 'string' && change.mjml === undefined) merged.mjml = null;
  for (const part of parts) {
    const given = change[part];
    if (given !== undefined) merged[part] = given;
  }
  return merged;
}

/** In a preview, links lead where they would lead, and nothing is counted. */
function previewUrls(renderer: Renderer, data: RenderData) {
  return {
    click: (n: number) => renderer.resolveLink(n, data) ?? '#',
    open: 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==',
    unsubscribe: '#unsubscribe',
    preferences: '#preferences',
  };
}

function sampleData({ compiled }: Renderer, who: Pick<PreviewFor, 'contact' | 'variables'>): SampleData {
  return {
    contact: who.contact ?? sampleFor(compiled.variables, 'contact'),
    variables: who.variables ?? sampleFor(compiled.variables, 'variables'),
  };
}

function previewWith(
  renderer: Renderer,
  who: PreviewFor,
  htmlPart: 'html' | 'mjml',
  known: readonly TemplateProblem[],
): Preview {
  const { variables } = renderer.compiled;
  const data: RenderData = { ...sampleData(renderer, who), workspace: who.workspace };
  const { faults, ...rendered } = renderer.preview({ ...data, urls: previewUrls(renderer, data) });
  const found = faults.map(({ where, message }): TemplateProblem => ({
    severity: 'error',
    where: where === 'html' ? htmlPart : where,
    line: null,
    message,
  }));
  return { ...rendered, variables, problems: [...known, ...found] };
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
  const addVersion = async (tx: Tx, id: string, version: number, input: CompileInput, by: Actor) => {
    const { compiled, problems } = await compileTemplate(input, mjml);
    if (compiled === undefined) throw invalidTemplate(problems);
    const { subject, preheader, html, text } = input;
    const source = { subject, preheader, mjml: input.mjml, html, text };
    const row = { version, source, compiled: { ...compiled, warnings: problems }, created_by: by };
    await store.insertVersion(tx, id, row, clock.now());
  };
  return {
    create: async (tx, given, by) => {
      const { source, ...row } = given;
      await store.insertTemplate(tx, row, clock.now());
      await addVersion(tx, given.id, 1, { ...source, category: given.category, locale: given.locale }, by);
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
      const reworded = parts.some((one) => source[one] !== stored.source[one]);
      const isNew = reworded || category !== before.category || locale !== before.locale;
      const version = before.current_version + (isNew ? 1 : 0);
      if (isNew) await addVersion(tx, id, version, { ...source, category, locale }, by);
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
  const rendererOf = async (tx: Tx, id: string, version: number): Promise<Renderer> => {
    const key = `${tx.workspaceId} ${id} ${version}`;
    return cache.get(key) ?? cache.put(key, (await getVersion(tx, id, version)).compiled);
  };
  return {
    ...createEditing(clock, mjml),
    find,
    findMany,
    get,
    version: getVersion,
    renderer: rendererOf,
    variables: async (tx, id, version) => (await rendererOf(tx, id, version)).compiled.variables,
    resolveLink: async (tx, id, version, n, data) => (await rendererOf(tx, id, version)).resolveLink(n, data),
    previewSource: async (input, who) => {
      const { compiled, problems, variables } = await compileTemplate(input, mjml);
      if (compiled === undefined) return { subject: null, html: null, text: null, variables, problems };
      return previewWith(createRenderer(compiled, now), who, input.mjml === null ? 'html' : 'mjml', problems);
    },
    previewVersion: async (tx, id, wanted, who) => {
      const row = await getRow(tx, id);
      const { compiled, source } = await getVersion(tx, id, wanted ?? row.current_version);
      const part = source.mjml === null ? 'html' : 'mjml';
      return previewWith(createRenderer(compiled, now), who, part, compiled.warnings);
    },
    dataFor: async (tx, id, version, who) => sampleData(await rendererOf(tx, id, version), who),
    close: () => mjml.close(),
  };
}
