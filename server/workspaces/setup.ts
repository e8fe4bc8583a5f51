import { permissions as allPermissions } from '../../contract/permissions.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { Vault } from '../platform/sealing.ts';
import { systemActor } from './audit.ts';
import type { Audit, AuditOrigin } from './audit.ts';
import { insert as insertKey } from './keys.ts';
import type { PasswordHasher } from './password.ts';
import { assertStrong } from './password.ts';
import { anybody, insertPerson, lockSetup } from './people.store.ts';
import { weakness } from './password.rules.ts';
import * as store from './store.ts';
import { looksLikeToken } from './tokens.ts';

export interface FirstOwner {
  readonly workspaceName: string;
  readonly name: string;
  readonly email: string;
  readonly password: string;
}

export interface FirstStart {
  readonly admin?: { readonly email: string; readonly password: string } | undefined;
  readonly bootstrapKey?: string | undefined;
}

export interface Setup {
  isNeeded(): Promise<boolean>;
  /** By the first-run page. Throws `auth/setup-done` once anybody exists. */
  createFirstOwner(
    owner: FirstOwner,
    from: Omit<AuditOrigin, 'actor'>,
  ): Promise<{ workspaceId: string; userId: string }>;
  /** By settings, at start: on an empty database makes the workspace, its owner and its key, as far as given. */
  ensureFirst(start: FirstStart): Promise<void>;
  /** A workspace with its keys, the start of its audit log, and what other slices give to each new one. */
  createWorkspace(tx: Tx, name: string, origin: AuditOrigin): Promise<void>;
}

export interface SetupDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly audit: Audit;
  readonly hasher: PasswordHasher;
  readonly log: Log;
  /** Port: what each new workspace starts with (a sandbox account, a first topic, …), in the same transaction. */
  readonly onWorkspaceCreated: (tx: Tx) => Promise<void>;
}

const firstName = 'My workspace';

export function createSetup(deps: SetupDeps): Setup {
  const isNeeded = async () => !(await deps.db.system(anybody));
  return {
    isNeeded,
    createWorkspace: (tx, name, origin) => createWorkspace(deps, tx, name, origin),

    createFirstOwner: async (owner, from) => {
      if (!(await isNeeded())) throw setupDone();
      assertStrong(owner.password, owner.email);
      const passwordHash = await deps.hasher.hash(owner.password);
      return alone(deps, async (tx, isNew) => {
        if (await anybody(tx)) throw setupDone();
        return addOwner(deps, tx, isNew, { ...owner, passwordHash }, from);
      });
    },

    ensureFirst: async (start) => {
      if (start.bootstrapKey !== undefined) assertKey(start.bootstrapKey);
      if ((start.admin === undefined && start.bootstrapKey === undefined) || !(await isNeeded())) return;
      await makeFirst(deps, start).catch((error: unknown) => {
        // Another process, started at the same time, was faster.
        if (!(error instanceof AppError && error.code === 'auth/setup-done')) throw error;
      });
    },
  };
}

async function createWorkspace(deps: SetupDeps, tx: Tx, name: string, origin: AuditOrigin): Promise<void> {
  await store.insertWorkspace(tx, name, deps.clock.now());
  await deps.vault.create(tx);
  await deps.audit.begin(tx);
  const target = { kind: 'workspace', id: tx.workspaceId };
  await deps.audit.record(tx, { ...origin, action: 'workspace.created', target, after: { name } });
  await deps.onWorkspaceCreated(tx);
}

/** Runs alone, in the one workspace there is (made by a bootstrap key) or is to be. */
async function alone<T>({ db, clock }: SetupDeps, work: (tx: Tx, isNew: boolean) => Promise<T>): Promise<T> {
  const [existing] = await db.system(store.workspaceIds);
  return db.transaction(existing ?? newId(clock), async (tx) => {
    await lockSetup(tx);
    const ids = await store.workspaceIds(tx);
    if (ids.length > 0 && !ids.includes(tx.workspaceId)) throw setupDone();
    return work(tx, ids.length === 0);
  });
}

type HashedOwner = Omit<FirstOwner, 'password'> & { readonly passwordHash: string };

async function addOwner(
  deps: SetupDeps,
  tx: Tx,
  isNew: boolean,
  { name, email, passwordHash, workspaceName }: HashedOwner,
  from: Omit<AuditOrigin, 'actor'>,
): Promise<{ workspaceId: string; userId: string }> {
  const { clock, audit } = deps;
  const userId = newId(clock);
  const now = clock.now();
  await insertPerson(tx, { id: userId, accountId: newId(clock), name, email, passwordHash, now });
  const origin = { ...from, actor: { kind: 'user', id: userId, name } } as const;
  if (isNew) await createWorkspace(deps, tx, workspaceName, origin);
  else await renameWorkspace(deps, tx, workspaceName, origin);
  await store.insertMember(tx, userId, 'owner', null, now);
  const target = { kind: 'user', id: userId };
  await audit.record(tx, { ...origin, action: 'member.joined', target, after: { role: 'owner', email } });
  return { workspaceId: tx.workspaceId, userId };
}

/** Made by a bootstrap key, under a name of no meaning; the first owner names it. */
async function renameWorkspace({ clock, audit }: SetupDeps, tx: Tx, name: string, origin: AuditOrigin): Promise<void> {
  const before = await store.findWorkspace(tx, 'lock');
  await store.updateWorkspace(tx, name, before?.settings ?? {}, clock.now());
  const target = { kind: 'workspace', id: tx.workspaceId };
  const change = { before: { name: before?.name }, after: { name } };
  await audit.record(tx, { ...origin, action: 'workspace.settings-changed', target, ...change });
}

async function addKey({ clock, audit }: SetupDeps, tx: Tx, secret: string): Promise<void> {
  const key = { id: newId(clock), name: 'Bootstrap', scopes: allPermissions, createdBy: systemActor.name };
  const { prefix } = await insertKey(tx, secret, { ...key, createdAt: clock.now(), expiresAt: null });
  const target = { kind: 'api-key', id: key.id };
  await audit.record(tx, { actor: systemActor, action: 'api-key.created', target, after: { name: key.name, prefix } });
}

async function makeFirst(deps: SetupDeps, { admin, bootstrapKey }: FirstStart): Promise<void> {
  const { hasher, log } = deps;
  // The operator's own choice, so only told; what a person chooses on a page is refused.
  const weak = admin === undefined ? undefined : weakness(admin.password, admin.email);
  if (weak !== undefined) log.warn(`PARLEY_ADMIN_PASSWORD ${weak}`);
  if (admin === undefined)
    log.warn(
      'There is no owner yet: whoever opens the first-run page first becomes it. PARLEY_ADMIN_EMAIL and PARLEY_ADMIN_PASSWORD would make one.',
    );
  const passwordHash = admin === undefined ? '' : await hasher.hash(admin.password);
  await alone(deps, async (tx, isNew) => {
    if (await anybody(tx)) return;
    if (admin !== undefined) {
      const name = admin.email.split('@', 1)[0] ?? admin.email;
      await addOwner(deps, tx, isNew, { email: admin.email, name, workspaceName: firstName, passwordHash }, {});
    } else if (isNew) await createWorkspace(deps, tx, firstName, { actor: systemActor });
    if (bootstrapKey !== undefined && isNew) await addKey(deps, tx, bootstrapKey);
  });
}

function setupDone(): AppError {
  return new AppError('auth/setup-done', 'Parley has an owner. Sign in, or ask them for an invitation.');
}

/** A setting that cannot be used stops the start, with its name. */
function assertKey(key: string): void {
  if (key.length < 32) throw new Error('PARLEY_BOOTSTRAP_KEY: must have at least 32 characters');
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new Error('PARLEY_BOOTSTRAP_KEY: must be visible ASCII characters, so that it fits a header');
  if (looksLikeToken(key)) throw new Error('PARLEY_BOOTSTRAP_KEY: must not look like a JWT');
}
