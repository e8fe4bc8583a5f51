import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { addressSubject, limits, locked } from './attempts.ts';
import type { Attempt, Attempts } from './attempts.ts';
import type { Audit, AuditOrigin } from './audit.ts';
import type { Background } from './background.ts';
import { openMembership } from './callers.ts';
import type { Callers, SessionInfo } from './callers.ts';
import { assertStrong, tooBusy } from './password.ts';
import * as people from './people.store.ts';
import { SignInRefusal } from './sign-in.ts';
import type { Client, CookieList, SecondFactor, SignIn } from './sign-in.ts';
import { createSlots } from './slots.ts';

type From = Omit<AuditOrigin, 'actor'>;

export interface SignedIn {
  readonly cookies: CookieList;
  readonly twoFactorRequired: boolean;
}

/** A person about their own account: with the session they came with. */
export interface SignedInPerson {
  readonly client: Client;
  readonly origin: AuditOrigin;
  readonly session: SessionInfo;
  readonly workspaceId: string;
}

/** What a person does about their own account. */
export interface Account {
  signIn(client: Client, from: From, email: string, password: string): Promise<SignedIn>;
  finishSignIn(client: Client, from: From, proof: SecondFactor): Promise<SignedIn>;
  signOut(person: SignedInPerson): Promise<CookieList>;
  /** Resolves at once; the mail, if there is one to send, follows. */
  forgotPassword(client: Client, email: string): Promise<void>;
  resetPassword(client: Client, from: From, token: string, password: string): Promise<void>;
  changePassword(person: SignedInPerson, current: string, next: string): Promise<CookieList>;
  beginTwoFactor(person: SignedInPerson, password: string): Promise<{ uri: string; backupCodes: string[] }>;
  confirmTwoFactor(person: SignedInPerson, code: string): Promise<CookieList>;
  endTwoFactor(person: SignedInPerson, password: string): Promise<CookieList>;
}

export interface AccountDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Audit;
  readonly attempts: Attempts;
  readonly background: Background;
  readonly auth: SignIn;
  readonly forget: Callers['forget'];
}

/** How many sign-ins are looked at together: as many may slip past a limit that is reached just then. */
const signInsAtOnce = 4;
const mostWaiting = 500;
/** What better-auth's own lock of the second factor lasts. */
const secondFactorLockSeconds = 900;

export function createAccount(deps: AccountDeps): Account {
  const { db, audit, attempts, background, auth, forget } = deps;
  const inLine = createSlots(signInsAtOnce, mostWaiting, tooBusy);

  /** Beside the answer, so that an account that exists takes no longer than one that does not. */
  const note = (email: string, from: From, action: string) => {
    background.run(
      (async () => {
        const found = await db.system(async (tx) => {
          const person = await people.findPersonByEmail(tx, email);
          return person === undefined ? undefined : { person, memberships: await people.membershipsOf(tx, person.id) };
        });
        if (found !== undefined) await recordFor(found.person, found.memberships, from, action);
      })(),
    );
  };

  const recordFor = async (
    person: people.Person,
    memberships: readonly people.MembershipRow[],
    from: From,
    action: string,
  ) => {
    const actor = { kind: 'user', id: person.id, name: person.name } as const;
    for (const { workspaceId } of memberships.filter((one) => one.disabledAt === null))
      await db.transaction(workspaceId, (tx) =>
        audit.record(tx, { ...from, actor, action, target: { kind: 'user', id: person.id } }),
      );
  };

  /** A session exists now: it stays only if some workspace is open to the person, and is written down there. */
  const admit = async (userId: string, from: From) => {
    const found = await db.system(async (tx) => ({
      person: await people.findPerson(tx, userId),
      memberships: await people.membershipsOf(tx, userId),
    }));
    try {
      openMembership(found.memberships);
    } catch (error) {
      await db.system((tx) => people.deleteSessions(tx, userId));
      throw error;
    }
    if (found.person !== undefined) await recordFor(found.person, found.memberships, from, 'session.started');
  };

  const failed = async (tried: readonly Attempt[]) => {
    for (const attempt of tried) await attempts.count(attempt);
  };

  return {
    signIn: (client, from, email, password) => {
      const account: Attempt = { limit: limits.signInAccount, subject: email };
      const address: Attempt = { limit: limits.signInAddress, subject: addressSubject(client.ip) };
      return inLine(async () => {
        await attempts.assertAllowed([account, address]);
        try {
          const { cookies, userId } = await auth.withPassword(client, email, password);
          if (userId === undefined) return { cookies, twoFactorRequired: true };
          await attempts.forget(account);
          await admit(userId, from);
          return { cookies, twoFactorRequired: false };
        } catch (error) {
          if (!(error instanceof SignInRefusal)) throw error;
          await failed([account, address]);
          note(email, from, 'sign-in.failed');
          throw new AppError('auth/wrong-credentials', 'The e-mail address or the password is wrong.', {
            cause: error.code,
          });
        }
      });
    },

    finishSignIn: async (client, from, proof) => {
      const address: Attempt = { limit: limits.signInAddress, subject: addressSubject(client.ip) };
      await attempts.assertAllowed([address]);
      try {
        const { cookies, userId, sessionToken } = await auth.withSecondFactor(client, proof);
        if (await isRepeated(deps, userId, proof)) {
          await db.system((tx) => people.deleteSessionByToken(tx, sessionToken ?? ''));
          throw new SignInRefusal('INVALID_CODE');
        }
        const person = await db.system((tx) => people.findPerson(tx, userId));
        if (person !== undefined) await attempts.forget({ limit: limits.signInAccount, subject: person.email });
        await admit(userId, from);
        return { cookies, twoFactorRequired: false };
      } catch (error) {
        if (!(error instanceof SignInRefusal)) throw error;
        await failed([address]);
        throw secondFactorRefused(error);
      }
    },

    signOut: async ({ client, origin, session, workspaceId }) => {
      const cookies = await auth.end(client);
      forget(session.id);
      const target = { kind: 'user', id: session.userId };
      await db.transaction(workspaceId, (tx) => audit.record(tx, { ...origin, action: 'session.ended', target }));
      return cookies;
    },

    forgotPassword: async (client, email) => {
      const address: Attempt = { limit: limits.resetAddress, subject: addressSubject(client.ip) };
      await attempts.assertAllowed([address]);
      await attempts.count(address);
      background.run(
        (async () => {
          // Too many for one account are dropped silently: a refusal would tell that there is one.
          const count = await attempts.count({ limit: limits.resetAccount, subject: email });
          if (count <= limits.resetAccount.most) await auth.requestReset(email.toLowerCase());
        })(),
      );
    },

    resetPassword: async (client, from, token, password) => {
      const address: Attempt = { limit: limits.tokenAddress, subject: addressSubject(client.ip) };
      await attempts.assertAllowed([address]);
      const owner = await auth.ownerOfReset(token);
      if (owner === undefined) {
        await attempts.count(address);
        throw worthless();
      }
      assertStrong(password, owner.email);
      await auth.reset(token, password).catch((error: unknown) => {
        throw error instanceof SignInRefusal ? worthless() : error;
      });
      // Other links sent before, and half-done sign-ins with the old password.
      await db.system((tx) => people.deleteVerifications(tx, owner.id));
      await attempts.forget({ limit: limits.signInAccount, subject: owner.email });
      forget(owner.id);
      note(owner.email, from, 'password.reset');
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

/** A code of the app opens once, though it is valid for a while: who looked over the shoulder comes too late. */
async function isRepeated({ attempts }: AccountDeps, userId: string, proof: SecondFactor): Promise<boolean> {
  if (!('code' in proof)) return false;
  return (await attempts.count({ limit: limits.usedCode, subject: `${userId}:${proof.code}` })) > limits.usedCode.most;
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

function secondFactorRefused({ code }: SignInRefusal): AppError {
  switch (code) {
    case 'INVALID_TWO_FACTOR_COOKIE':
      return new AppError('auth/sign-in-expired', 'Start again with your password.');
    case 'TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE':
      return new AppError('auth/sign-in-expired', 'Too many wrong codes. Start again with your password.');
    case 'ACCOUNT_TEMPORARILY_LOCKED':
      return locked(secondFactorLockSeconds);
    default:
      return new AppError('auth/wrong-code', 'This code is not right, or was used already.');
  }
}

function worthless(): AppError {
  return new AppError('auth/link-worthless', 'It was used or has expired. Ask for a new one.');
}
