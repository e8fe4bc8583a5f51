import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import type { Authenticate } from '../platform/http.ts';
import type { Log } from '../platform/log.ts';
import type { Vault } from '../platform/sealing.ts';
import { createAccount } from './account.ts';
import { createAttempts } from './attempts.ts';
import { createAudit } from './audit.ts';
import type { Audit } from './audit.ts';
import { createAuthDatabase } from './auth-database.ts';
import { createBackground } from './background.ts';
import { createCallers } from './callers.ts';
import { createEntrance } from './entrance.ts';
import './errors.ts';
import { createInvitations } from './invitations.ts';
import { createApiKeys } from './keys.ts';
import { resetMail } from './mail.ts';
import type { SendSystemMail } from './mail.ts';
import { createMembers } from './members.ts';
import { createPasswordHasher } from './password.ts';
import { deleteExpired, membershipsOf } from './people.store.ts';
import { createRoles } from './roles.ts';
import type { RouteDeps } from './routes.ts';
import { createSettings } from './settings.ts';
import type { SettledWorkspace } from './settings.ts';
import { createSetup } from './setup.ts';
import type { Setup } from './setup.ts';
import { createSignIn, idleDays } from './sign-in.ts';
import { createTokens } from './tokens.ts';

export interface WorkspacesDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly vault: Vault;
  /** Public origin; asked for at each use, since the port may not be known yet. */
  readonly origin: () => string;
  /** Port: sends a mail of Parley's own; rejects when no account can. */
  readonly sendSystemMail: SendSystemMail;
  /** Port: what each new workspace starts with, in the transaction that makes it. */
  readonly onWorkspaceCreated: (tx: Tx) => Promise<void>;
}

export interface Workspaces {
  readonly audit: Audit;
  readonly authenticate: Authenticate;
  /** At start, on an empty database: the workspace, its first owner, its bootstrap key, as far as the settings give them. */
  readonly ensureFirst: Setup['ensureFirst'];
  readonly createWorkspace: Setup['createWorkspace'];
  /** The settings of the transaction's workspace. */
  settings(tx: Tx): Promise<SettledWorkspace>;
  /** Removes sessions, links and counts that have expired; for the daily job. */
  tidyUp(): Promise<void>;
  /** Resolves when mails and notes under way are done; for a clean stop. */
  idle(): Promise<void>;
  readonly routeDeps: RouteDeps;
}

export function createWorkspaces(deps: WorkspacesDeps): Workspaces {
  const { db, clock, log, vault, origin } = deps;
  const background = createBackground((error) => log.warn({ err: error }, 'work beside a request failed'));
  const hasher = createPasswordHasher();
  const audit = createAudit({ clock, vault });
  const tokens = createTokens({ key: vault.derive('jwt'), clock });
  const attempts = createAttempts({ db, clock, key: vault.derive('attempts') });

  const sendReset = async (person: { id: string; email: string; name: string }, token: string) => {
    const memberships = await db.system((tx) => membershipsOf(tx, person.id));
    const workspace = memberships.find((one) => one.disabledAt === null);
    if (workspace === undefined) return;
    const url = `${origin()}/reset-password/${encodeURIComponent(token)}`;
    await deps.sendSystemMail(workspace.workspaceId, resetMail(person, url));
  };

  const database = createAuthDatabase(db);
  const auth = createSignIn({ database, clock, hasher, secret: vault.derive('sessions'), origin, sendReset });
  const callers = createCallers({ db, clock, signIn: auth, tokens, origin, background });
  const { forget } = callers;
  const setup = createSetup({ ...deps, audit, hasher });
  const settings = createSettings({ audit, clock });

  return {
    audit,
    authenticate: callers.authenticate,
    ensureFirst: setup.ensureFirst,
    createWorkspace: setup.createWorkspace,
    settings: settings.get,
    tidyUp: async () => {
      const now = clock.now();
      await db.system((tx) => deleteExpired(tx, now.subtract({ hours: idleDays * 24 }), now));
    },
    idle: background.idle,
    routeDeps: {
      account: createAccount({ db, audit, attempts, auth, forget }),
      audit,
      background,
      callers,
      clock,
      entrance: createEntrance({ db, audit, attempts, background, auth, forget }),
      invitations: createInvitations({ audit, clock, hasher }),
      keys: createApiKeys({ audit, clock, forget }),
      members: createMembers({ audit, clock, forget }),
      roles: createRoles({ audit, clock }),
      sendSystemMail: deps.sendSystemMail,
      settings,
      setup,
      tokens,
    },
  };
}
