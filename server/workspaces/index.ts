/**
 * Workspaces: who may come in, what they may do, and the record of what they did.
 *
 * Owns: `workspace`, `member`, `permission_set`, `invitation`, `api_key`, `audit_entry`, `audit_head`, and people with
 * their sign-in (`auth_*`). Promises: a credential is checked against the database at most 5 seconds ago; nobody gives
 * away more than they have; the last owner stays; what `audit.record` was told is committed with the change or not at
 * all, is masked, cannot be changed by the server, and tampering with it is found. Never does: know what the other
 * slices do with a permission, keep a password, a key or a link in a form that could be used.
 */
export { createWorkspaces } from './workspaces.ts';
export type { Workspaces, WorkspacesDeps } from './workspaces.ts';
export { workspacesRoutes } from './routes.ts';
export type { Audit, AuditActor, AuditDraft, AuditOrigin } from './audit.ts';
export { createAudit } from './audit.ts';
export type { SettledWorkspace, WorkspaceSettings } from './settings.ts';
export type { SendSystemMail, SystemMail } from './mail.ts';
