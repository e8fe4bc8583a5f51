import type { Actor } from '../../contract/actor.ts';
import * as contract from '../../contract/templates.ts';
import type { Template } from '../../contract/templates.ts';
import type { Tx } from '../platform/db.ts';
import { notFound } from '../platform/errors.ts';
import { decodeCursor, encodeCursor, requireMatch, route } from '../platform/http.ts';
import type { Caller, Route } from '../platform/http.ts';
import { invalidField } from '../platform/errors.ts';
import type { RenderData } from './render.rules.ts';
import { starters } from './starters.ts';
import * as store from './store.ts';
import type { TemplateListed } from './store.ts';
import { sourceOf, subjectOf } from './source.rules.ts';
import type { PreviewFor, StoredTemplate, TemplateChange, Templates } from './templates.ts';

export interface AuditEntry {
  readonly actor: Caller;
  readonly action: string;
  readonly target: { readonly kind: string; readonly id: string };
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly ip: string;
  readonly userAgent: string;
  readonly requestId: string;
}

export interface TestSend {
  /** Becomes the message's id. */
  readonly id: string;
  readonly templateId: string;
  readonly version: number;
  /** As it was typed; the channel of the template decides how it is read. */
  readonly to: string;
  readonly contact: Readonly<Record<string, unknown>>;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
}

export interface TemplateRoutesDeps {
  readonly templates: Templates;
  readonly audit: { record(tx: Tx, entry: AuditEntry): Promise<unknown> };
  /** A contact's data as templates see it (attributes, `email`, `locale`, `time_zone`); from the audience slice. */
  readonly contactData: (tx: Tx, contactId: string) => Promise<Readonly<Record<string, unknown>> | undefined>;
  readonly workspaceData: (tx: Tx) => Promise<RenderData['workspace']>;
  /** Delivery is above: compose fills this. */
  readonly testSend: (tx: Tx, send: TestSend) => Promise<{ messageId: string; state: string }>;
}

function actorOf({ kind, id, name }: Caller): Actor {
  return { kind, id, name };
}

function summaryOf(row: TemplateListed) {
  return {
    id: row.id,
    name: row.name,
    channel: row.channel,
    category: row.category,
    locale: row.locale,
    version: row.current_version,
    status: row.archived_at === null ? ('ready' as const) : ('archived' as const),
    subject: subjectOf(row.source),
    createdAt: row.created_at.toString(),
    updatedAt: row.updated_at.toString(),
  };
}

function present({ row, version }: StoredTemplate): Template {
  return {
    ...summaryOf({ ...row, source: version.source }),
    source: version.source,
    variables: version.compiled.variables.map((one) => one.name),
    problems: [...version.compiled.warnings],
    revision: row.revision,
  };
}

/** BCP 47, in its canonical spelling. */
function localeOf(given: string): string {
  try {
    return Intl.getCanonicalLocales(given)[0] ?? given;
  } catch {
    throw invalidField('/locale', 'is not a language tag such as "en" or "pt-BR"');
  }
}

/** What an audit entry says of a template: not its content, which the versions keep. */
function auditView({ row }: Pick<StoredTemplate, 'row'>) {
  const { name, category, locale } = row;
  return { name, category, locale, version: row.current_version, archived: row.archived_at !== null };
}

export function templatesRoutes(deps: TemplateRoutesDeps): Route[] {
  return [...editingRoutes(deps), ...readingRoutes(deps), ...tryingRoutes(deps)];
}

function editingRoutes({ templates, audit }: TemplateRoutesDeps): Route[] {
  return [
    route(contract.createTemplate, async (tx, call) => {
      const { name, channel, category, locale, ...source } = call.body;
      const created = await templates.create(
        tx,
        { id: call.mintedId, name, category, locale: localeOf(locale), source: sourceOf(channel, source) },
        actorOf(call.caller),
      );
      const target = { kind: 'template', id: call.mintedId };
      await audit.record(tx, { ...entryOf(call), action: 'template.created', target, after: auditView(created) });
      return present(created);
    }),
    route(contract.updateTemplate, async (tx, call) => {
      const { name, category, locale, archived, ...source } = call.body;
      const change: TemplateChange = {
        name,
        category,
        archived,
        source,
        ...(locale === undefined ? {} : { locale: localeOf(locale) }),
      };
      const changed = await templates.change(tx, call.params.id, change, actorOf(call.caller), (revision) =>
        requireMatch(call, revision),
      );
      await audit.record(tx, {
        ...entryOf(call),
        action: 'template.changed',
        target: { kind: 'template', id: call.params.id },
        before: auditView({ row: changed.before }),
        after: auditView(changed.after),
      });
      return present(changed.after);
    }),
    route(contract.deleteTemplate, async (tx, call) => {
      const { row } = await templates.get(tx, call.params.id);
      requireMatch(call, row.revision);
      if (row.archived_at !== null) return;
      await templates.change(tx, row.id, { archived: true }, actorOf(call.caller), () => undefined);
      await audit.record(tx, {
        ...entryOf(call),
        action: 'template.archived',
        target: { kind: 'template', id: row.id },
        before: auditView({ row }),
      });
    }),
  ];
}

function entryOf(call: { caller: Caller; ip: string; userAgent: string; requestId: string }) {
  return { actor: call.caller, ip: call.ip, userAgent: call.userAgent, requestId: call.requestId };
}

function readingRoutes({ templates }: TemplateRoutesDeps): Route[] {
  return [
    route(contract.listTemplates, async (tx, call) => {
      const { limit, cursor, q, channel, category, locale, status } = call.query;
      const after = decodeCursor(cursor, 'time', 'id');
      const rows = await store.listTemplates(tx, {
        q,
        channel,
        category,
        locale,
        archived: status === 'archived',
        limit: limit + 1,
        after: after === undefined ? undefined : [after[0] ?? '', after[1] ?? ''],
      });
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        data: rows.slice(0, limit).map(summaryOf),
        nextCursor: last === undefined ? null : encodeCursor(last.updated_at.toString(), last.id),
      };
    }),
    route(contract.listTemplateStarters, () => Promise.resolve({ data: [...starters] })),
    route(contract.getTemplate, async (tx, call) => present(await templates.get(tx, call.params.id))),
    route(contract.listTemplateVersions, async (tx, call) => {
      await templates.get(tx, call.params.id);
      const { limit, cursor } = call.query;
      const before = decodeCursor(cursor, 'count')?.[0];
      const rows = await store.listVersions(
        tx,
        call.params.id,
        limit + 1,
        before === undefined ? undefined : Number(before),
      );
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        data: rows
          .slice(0, limit)
          .map((row) => ({ version: row.version, createdAt: row.created_at.toString(), createdBy: row.created_by })),
        nextCursor: last === undefined ? null : encodeCursor(last.version),
      };
    }),
    route(contract.getTemplateVersion, async (tx, call) => {
      const row = await templates.version(tx, call.params.id, call.params.version);
      return {
        version: row.version,
        createdAt: row.created_at.toString(),
        createdBy: row.created_by,
        source: row.source,
      };
    }),
  ];
}

interface AudienceGiven {
  readonly contactId?: string | undefined;
  readonly sample?: Readonly<Record<string, unknown>> | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
}

function tryingRoutes({ templates, contactData, workspaceData, testSend }: TemplateRoutesDeps): Route[] {
  const whoOf = async (tx: Tx, given: AudienceGiven): Promise<PreviewFor> => {
    const stored = given.contactId === undefined ? undefined : await contactData(tx, given.contactId);
    if (given.contactId !== undefined && stored === undefined) throw notFound('contact');
    const contact = stored === undefined && given.sample === undefined ? undefined : { ...stored, ...given.sample };
    return { contact, variables: given.variables, workspace: await workspaceData(tx) };
  };
  return [
    route(contract.previewTemplate, async (tx, call) => {
      const who = await whoOf(tx, call.body);
      return answer(await templates.previewVersion(tx, call.params.id, call.body.version, who));
    }),
    route(contract.previewTemplateSource, async (tx, call) => {
      const { category, locale, channel = 'email', contactId, sample, variables, ...given } = call.body;
      const who = await whoOf(tx, { contactId, sample, variables });
      const written = { source: sourceOf(channel, given), category, locale: localeOf(locale) };
      return answer(await templates.previewSource(written, who));
    }),
    route(contract.testSendTemplate, async (tx, call) => {
      const { row } = await templates.get(tx, call.params.id);
      const version = call.body.version ?? row.current_version;
      const who = await whoOf(tx, call.body);
      const data = await templates.dataFor(tx, row.id, version, who);
      return testSend(tx, {
        id: call.mintedId,
        templateId: row.id,
        version,
        to: call.body.to,
        caller: call.caller,
        ...data,
      });
    }),
  ];
}

function answer(preview: Awaited<ReturnType<Templates['previewVersion']>>) {
  const { subject, html, text, content, variables, problems } = preview;
  return { subject, html, text, content, variables: variables.map((one) => one.name), problems: [...problems] };
}
