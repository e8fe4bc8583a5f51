import type { Db } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { addressSubject, limits, locked } from './attempts.ts';
import type { Attempt, Attempts } from './attempts.ts';
import type { Audit, AuditOrigin } from './audit.ts';
import type { Background } from './background.ts';
import { openMembership } from './callers.ts';
import type { Callers } from './callers.ts';
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

/** For strangers: what they can do without a session. Nothing here tells whether an account exists. */
export interface Entrance {
  signIn(client: Client, from: From, email: string, password: string): Promise<SignedIn>;
  finishSignIn(client: Client, from: From, proof: SecondFactor): Promise<SignedIn>;
  /** Resolves at once; the mail, if there is one to send, follows. */
  forgotPassword(client: Client, email: string): Promise<void>;
  resetPassword(client: Client, from: From, token: string, password: string): Promise<void>;
}

export interface EntranceDeps {
  readonly db: Db;
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

export function createEntrance(deps: EntranceDeps): Entrance {
  const inLine = createSlots(signInsAtOnce, mostWaiting, tooBusy);
  return {
    signIn: (client, from, email, password) => inLine(() => signIn(deps, client, from, email, password)),
    finishSignIn: (client, from, proof) => finishSignIn(deps, client, from, proof),
    forgotPassword: (client, email) => forgotPassword(deps, client, email),
    resetPassword: (client, from, token, password) => resetPassword(deps, client, from, token, password),
  };
}

async function signIn(
  deps: EntranceDeps,
  client: Client,
  from: From,
  email: string,
  password: string,
): Promise<SignedIn> {
  const { attempts, auth } = deps;
  const account: Attempt = { limit: limits.signInAccount, subject: email };
  const address: Attempt = { limit: limits.signInAddress, subject: addressSubject(client.ip) };
  await attempts.assertAllowed([account, address]);
  try {
    const { cookies, userId } = await auth.withPassword(client, email, password);
    if (userId === undefined) return { cookies, twoFactorRequired: true };
    await attempts.forget(account);
    await admit(deps, userId, from);
    return { cookies, twoFactorRequired: false };
  } catch (error) {
    if (!(error instanceof SignInRefusal)) throw error;
    await attempts.count(account);
    await attempts.count(address);
    // Beside the answer, so that an account that exists takes no longer than one that does not.
    deps.background.run(noteFailure(deps, email, from));
    throw new AppError('auth/wrong-credentials', 'The e-mail address or the password is wrong.');
  }
}

async function finishSignIn(deps: EntranceDeps, client: Client, from: From, proof: SecondFactor): Promise<SignedIn> {
  const { attempts, auth, db } = deps;
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
    await admit(deps, userId, from);
    return { cookies, twoFactorRequired: false };
  } catch (error) {
    if (!(error instanceof SignInRefusal)) throw error;
    await attempts.count(address);
    throw secondFactorRefused(error);
  }
}

/** A code of the app opens once, though it is valid for a while: who looked over the shoulder comes too late. */
async function isRepeated({ attempts }: EntranceDeps, userId: string, proof: SecondFactor): Promise<boolean> {
  if (!('code' in proof)) return false;
  return (await attempts.count({ limit: limits.usedCode, subject: `${userId}:${proof.code}` })) > limits.usedCode.most;
}

/** A session exists now: it stays only if some workspace is open to the person, and is written down there. */
async function admit({ db, audit }: EntranceDeps, userId: string, from: From): Promise<void> {
  const { person, memberships } = await db.system(async (tx) => ({
    person: await people.findPerson(tx, userId),
    memberships: await people.membershipsOf(tx, userId),
  }));
  try {
    const { workspaceId } = openMembership(memberships);
    const actor = { kind: 'user', id: userId, name: person?.name ?? '' } as const;
    const draft = { ...from, actor, action: 'session.started', target: { kind: 'user', id: userId } };
    await db.transaction(workspaceId, (tx) => audit.record(tx, draft));
  } catch (error) {
    await db.system((tx) => people.deleteSessions(tx, userId));
    throw error;
  }
}

async function noteFailure({ db, audit }: EntranceDeps, email: string, from: From): Promise<void> {
  const found = await db.system(async (tx) => {
    const person = await people.findPersonByEmail(tx, email);
    return person === undefined ? undefined : { person, memberships: await people.membershipsOf(tx, person.id) };
  });
  const open = found?.memberships.find((one) => one.disabledAt === null);
  if (found === undefined || open === undefined) return;
  const actor = { kind: 'user', id: found.person.id, name: found.person.name } as const;
  const draft = { ...from, actor, action: 'sign-in.failed', target: { kind: 'user', id: found.person.id } };
  await db.transaction(open.workspaceId, (tx) => audit.record(tx, draft));
}

async function forgotPassword(
  { attempts, auth, background }: EntranceDeps,
  client: Client,
  email: string,
): Promise<void> {
  const address: Attempt = { limit: limits.resetAddress, subject: addressSubject(client.ip) };
  await attempts.assertAllowed([address]);
  await attempts.count(address);
  const send = async () => {
    // Too many for one account are dropped silently: a refusal would tell that there is one.
    const count = await attempts.count({ limit: limits.resetAccount, subject: email });
    if (count <= limits.resetAccount.most) await auth.requestReset(email.toLowerCase());
  };
  background.run(send());
}

async function resetPassword(
  deps: EntranceDeps,
  client: Client,
  from: From,
  token: string,
  password: string,
): Promise<void> {
  const { attempts, audit, auth, db, forget } = deps;
  const address: Attempt = { limit: limits.tokenAddress, subject: addressSubject(client.ip) };
  await attempts.assertAllowed([address]);
  const owner = await auth.ownerOfReset(token);
  if (owner === undefined) {
    await attempts.count(address);
    throw worthless();
  }
  assertStrong(password, owner.email);
  const memberships = await db.system((tx) => people.membershipsOf(tx, owner.id));
  const { workspaceId } = openMembership(memberships);
  const change = db.transaction(workspaceId, async (tx) => {
    await auth.reset(tx, token, password);
    // Other links sent before, and half-done sign-ins with the old password.
    await people.deleteVerifications(tx, owner.id);
    const actor = { kind: 'user', id: owner.id, name: owner.name } as const;
    await audit.record(tx, { ...from, actor, action: 'password.reset', target: { kind: 'user', id: owner.id } });
    tx.afterCommit(() => forget(owner.id));
  });
  await change.catch((error: unknown) => {
    throw error instanceof SignInRefusal ? worthless() : error;
  });
  await attempts.forget({ limit: limits.signInAccount, subject: owner.email });
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
