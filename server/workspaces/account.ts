import type { Db, Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { limits } from './attempts.ts';
import type { Attempt, Attempts } from './attempts.ts';
import type { Audit, AuditOrigin } from './audit.ts';
import type { Callers, SessionInfo } from './callers.ts';
import { assertStrong } from './password.ts';
import * as people from './people.store.ts';
import { SignInRefusal } from './sign-in.ts';
import type { Client, CookieList, SignIn } from './sign-in.ts';

/** A person about their own account: with the session they came with. */
export interface SignedInPerson {
  readonly client: Client;
  readonly origin: AuditOrigin;
  readonly session: SessionInfo;
  readonly workspaceId: string;
}

/** What a signed-in person does about their own account. */
export interface Account {
  signOut(person: SignedInPerson): Promise<CookieList>;
  changePassword(person: SignedInPerson, current: string, next: string): Promise<CookieList>;
  beginTwoFactor(person: SignedInPerson, password: string): Promise<{ uri: string; backupCodes: string[] }>;
  confirmTwoFactor(person: SignedInPerson, code: string): Promise<CookieList>;
  endTwoFactor(person: SignedInPerson, password: string): Promise<CookieList>;
}

export interface AccountDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly attempts: Attempts;
  readonly auth: SignIn;
  readonly forget: Callers['forget'];
}

export function createAccount(deps: AccountDeps): Account {
  const { db, audit, auth, forget } = deps;
  return {
    signOut: async ({ client, origin, session, workspaceId }) => {
      const cookies = await auth.end(client);
      forget(session.id);
      const target = { kind: 'user', id: session.userId };
      await db.transaction(workspaceId, (tx) => audit.record(tx, { ...origin, action: 'session.ended', target }));
      return cookies;
    },

    changePassword: async (person, current, next) => {
      const found = await db.system((tx) => people.findPerson(tx, person.session.userId));
      assertStrong(next, found?.email ?? '', '/newPassword');
      return own(deps, person, 'password.changed', '/currentPassword', async (tx) => {
        await people.deleteVerifications(tx, person.session.userId);
        return auth.changePassword(tx, person.client, current, next);
      });
    },

    beginTwoFactor: (person, password) =>
      own(deps, person, 'two-factor.begun', '/password', (tx) => auth.beginTwoFactor(tx, person.client, password)),

    confirmTwoFactor: (person, code) =>
      own(deps, person, 'two-factor.enabled', '/code', (tx) => auth.confirmTwoFactor(tx, person.client, code)),

    endTwoFactor: (person, password) =>
      own(deps, person, 'two-factor.disabled', '/password', async (tx) => {
        const found = await people.findPerson(tx, person.session.userId);
        if (found?.twoFactorEnabled !== true)
          throw new AppError('auth/two-factor-off', 'There is nothing to turn off.');
        return auth.endTwoFactor(tx, person.client, password);
      }),
  };
}

/**
 * A change to the signed-in person's own account and its audit entry, in one transaction. A wrong password or code is a
 * field to correct; it counts as an attempt, outside the transaction, which is rolled back.
 */
async function own<T>(
  { attempts, audit, db, forget }: AccountDeps,
  { session, workspaceId, origin }: SignedInPerson,
  action: string,
  pointer: string,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const attempt: Attempt = { limit: limits.ownAccount, subject: session.userId };
  await attempts.assertAllowed([attempt]);
  try {
    return await db.transaction(workspaceId, async (tx) => {
      const result = await work(tx);
      await audit.record(tx, { ...origin, action, target: { kind: 'user', id: session.userId } });
      tx.afterCommit(() => forget(session.userId));
      return result;
    });
  } catch (error) {
    if (!(error instanceof SignInRefusal)) throw error;
    await attempts.count(attempt);
    throw ownRefused(error, pointer);
  }
}

function ownRefused({ code }: SignInRefusal, pointer: string): AppError {
  switch (code) {
    case 'TOTP_ALREADY_ENABLED':
      return new AppError('auth/two-factor-on', 'Turn it off first to set it up anew.');
    case 'TOTP_NOT_ENABLED':
      return new AppError('auth/two-factor-off', 'Begin enrolment first.');
    case 'UNAUTHORIZED':
      return new AppError('auth/session-ended', 'This session has ended. Sign in again.');
    case 'INVALID_CODE':
      return new AppError('auth/code-refused', 'This is not the code the app shows now.', {
        errors: [{ pointer, message: 'is not the code the app shows now' }],
      });
    default:
      return new AppError('auth/wrong-password', 'This is not your password.', {
        errors: [{ pointer, message: 'is not your password' }],
      });
  }
}
