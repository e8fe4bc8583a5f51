import { z } from 'zod';
import { actor, chainReport } from './actor.ts';
import { endpoint, id, line, page, pageQuery, time } from './endpoint.ts';

const tag = 'Audit';
const jsonObject = z.record(z.string().max(200), z.unknown());

export const auditTarget = z.strictObject({ kind: z.string().max(100), id: z.string().max(200) });

export const auditEntry = z.strictObject({
  seq: z.int().positive(),
  id,
  at: time,
  actor,
  /** `noun.verb-in-the-past`, e.g. `topic.created`. */
  action: z.string(),
  target: auditTarget.nullable(),
  /** What it was and what it became; only what changed, personal data and secrets masked. */
  before: jsonObject.nullable(),
  after: jsonObject.nullable(),
  ip: z.string().nullable(),
  userAgent: z.string().nullable(),
  requestId: z.string().nullable(),
});
export type AuditEntry = z.output<typeof auditEntry>;

const auditFilters = {
  ...pageQuery,
  action: line(100).optional(),
  targetKind: line(100).optional(),
  targetId: line(200).optional(),
  from: time.optional(),
  to: time.optional(),
};

export const listAuditLogs = endpoint({
  method: 'GET',
  path: '/audit/logs',
  permission: 'audit:read',
  summary: 'The audit log, newest first',
  tag,
  query: z.strictObject({ ...auditFilters, actorId: line(100).optional() }),
  status: 200,
  response: page(auditEntry),
});

export const createAuditLog = endpoint({
  method: 'POST',
  path: '/audit/logs',
  permission: 'audit:write',
  summary: 'Add an entry for something that happened in a system beside Parley; it cannot be changed afterwards',
  tag,
  body: z.strictObject({
    action: z
      .string()
      .regex(/^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/, 'must look like "order.refunded"')
      .max(100),
    target: z.strictObject({ kind: line(100), id: line(200) }).optional(),
    before: jsonObject.optional(),
    after: jsonObject.optional(),
  }),
  status: 201,
  response: auditEntry,
  idempotent: true,
});

export const listAuditLogsOfUser = endpoint({
  method: 'GET',
  path: '/audit/logs/:userId',
  permission: 'audit:read',
  summary: 'What one person did, newest first',
  tag,
  params: z.strictObject({ userId: id }),
  query: z.strictObject(auditFilters),
  status: 200,
  response: page(auditEntry),
});

export const verifyAudit = endpoint({
  method: 'GET',
  path: '/audit/verify',
  permission: 'audit:read',
  summary: 'Walk the chain of the audit log; names the first broken entry',
  tag,
  status: 200,
  response: chainReport,
});

export const auditEndpoints = [listAuditLogs, createAuditLog, listAuditLogsOfUser, verifyAudit] as const;
