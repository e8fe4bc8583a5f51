import * as api from '../../contract/audit.ts';
import { getWorkspaceSettings, updateWorkspaceSettings } from '../../contract/workspace.ts';
import type { WorkspaceSettings } from '../../contract/workspace.ts';
import type { Tx } from '../platform/db.ts';
import { decodeCursor, encodeCursor, requireMatch, route, streamRoute } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';
import { originOf } from './audit.ts';
import type { Audit } from './audit.ts';
import type { StoredEntry } from './audit.rules.ts';
import type { AuditFilter } from './audit.store.ts';
import type { Members } from './members.ts';
import type { SettledWorkspace, Settings } from './settings.ts';

const actorKinds = ['user', 'key', 'token', 'system', 'contact'] as const;

function present(entry: StoredEntry): api.AuditEntry {
  const { targetKind: kind, targetId: id } = entry;
  return {
    seq: entry.seq,
    id: entry.id,
    at: entry.at.toString(),
    actor: {
      kind: actorKinds.find((one) => one === entry.actorKind) ?? 'system',
      id: entry.actorId,
      name: entry.actorName,
    },
    action: entry.action,
    target: kind === null || id === null ? null : { kind, id },
    before: asObject(entry.before),
    after: asObject(entry.after),
    ip: entry.ip,
    userAgent: entry.userAgent,
    requestId: entry.requestId,
  };
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? { ...value } : null;
}

interface Query {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly actorId?: string | undefined;
  readonly action?: string | undefined;
  readonly targetKind?: string | undefined;
  readonly targetId?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export interface AuditRouteDeps {
  readonly audit: Audit;
  readonly members: Pick<Members, 'get'>;
}

export function auditRoutes({ audit, members }: AuditRouteDeps): Route[] {
  const list = async (tx: Tx, { limit, cursor, from, to, ...filter }: Query) => {
    const wanted: AuditFilter = {
      ...filter,
      from: from === undefined ? undefined : Temporal.Instant.from(from),
      to: to === undefined ? undefined : Temporal.Instant.from(to),
    };
    const entries = await audit.list(tx, wanted, seqFrom(cursor), limit + 1);
    const shown = entries.slice(0, limit);
    const last = shown.at(-1);
    const nextCursor = entries.length > limit && last !== undefined ? encodeCursor(last.seq) : null;
    return { data: shown.map(present), nextCursor };
  };

  return [
    route(api.listAuditLogs, (tx, call) => list(tx, call.query)),
    route(api.listAuditLogsOfUser, async (tx, call) => {
      // Somebody shut out stays a member, with what they did.
      const { userId } = await members.get(tx, call.params.userId);
      return list(tx, { ...call.query, actorId: userId });
    }),
    route(api.createAuditLog, async (tx, call) => {
      const { action, target, before, after } = call.body;
      // Under `external.`, so that a note can never pass for something that Parley did itself.
      const draft = { ...originOf(call), action: `external.${action}`, target: target ?? null, before, after };
      return present(await audit.record(tx, draft));
    }),
    streamRoute(api.verifyAudit, async (call, db) => {
      const { ok, checked, head, broken } = await audit.verify(db, call.caller.workspaceId);
      return {
        ok,
        checked,
        head: head === null ? null : { seq: head.seq, at: head.at.toString() },
        broken: broken === null ? null : { ...broken, at: broken.at?.toString() ?? null },
      };
    }),
  ];
}

function seqFrom(cursor: string | undefined): number | undefined {
  const [part] = decodeCursor(cursor, 'count') ?? [];
  return part === undefined ? undefined : Number(part);
}

export function settingsRoutes({ settings }: { readonly settings: Settings }): Route[] {
  return [
    route(getWorkspaceSettings, async (tx) => presentSettings(await settings.get(tx))),
    route(updateWorkspaceSettings, async (tx, call) =>
      presentSettings(
        await settings.update(tx, originOf(call), call.body, (current) => requireMatch(call, current.revision)),
      ),
    ),
  ];
}

function presentSettings({ createdAt, updatedAt, ...settings }: SettledWorkspace): WorkspaceSettings {
  return { ...settings, createdAt: createdAt.toString(), updatedAt: updatedAt.toString() };
}
