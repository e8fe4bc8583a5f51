import * as api from '../../contract/auth.ts';
import type { Endpoint } from '../../contract/endpoint.ts';
import { permissions as allPermissions } from '../../contract/permissions.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, invalidField, notFound } from '../platform/errors.ts';
import { route, streamRoute } from '../platform/http.ts';
import type { Call, Caller, Route } from '../platform/http.ts';
import type { Account, SignedInPerson } from './account.ts';
import type { Entrance } from './entrance.ts';
import { originOf } from './audit.ts';
import type { Audit } from './audit.ts';
import { clientOf, originHeaders } from './callers.ts';
import type { Callers } from './callers.ts';
import { refuseForeignPage } from './csrf.rules.ts';
import type { Invitations } from './invitations.ts';
import * as people from './people.store.ts';
import { builtInRole } from './roles.rules.ts';
import type { Setup } from './setup.ts';
import { idleDays } from './sign-in.ts';
import type { CookieList } from './sign-in.ts';
import { findMember, findWorkspace } from './store.ts';
import { ownSetName } from './grants.ts';
import type { Tokens } from './tokens.ts';

export interface AuthRouteDeps {
  readonly account: Account;
  readonly audit: Audit;
  readonly callers: Callers;
  readonly clock: Clock;
  readonly entrance: Entrance;
  readonly invitations: Invitations;
  readonly setup: Setup;
  readonly tokens: Tokens;
}

type AnyCall = Pick<Call<Endpoint>, 'raw' | 'reply' | 'ip' | 'userAgent' | 'requestId' | 'origin'>;

const fromOf = ({ ip, userAgent, requestId }: AnyCall) => ({ ip, userAgent, requestId });

function sendCookies(call: AnyCall, cookies: CookieList): void {
  if (cookies.length > 0) call.reply.header('set-cookie', [...cookies]);
}

function assertOwnPage(call: AnyCall): void {
  const refused = refuseForeignPage(originHeaders(call.raw), call.origin);
  if (refused !== undefined) throw new AppError('csrf-refused', refused);
}

function personOnly(): AppError {
  return new AppError('auth/person-only', 'This is about a person; keys and tokens have no such thing. Sign in.');
}

export function authRoutes(deps: AuthRouteDeps): Route[] {
  const { callers } = deps;

  /** Who is signed in, with the session they came with; keys and tokens are refused. */
  const personOf = (call: AnyCall & { readonly caller: Caller }): SignedInPerson => {
    const session = callers.sessionOf(call.raw);
    if (session === undefined) throw personOnly();
    return { client: clientOf(call.raw), origin: originOf(call), session, workspaceId: call.caller.workspaceId };
  };
  return [...doorRoutes(deps), ...ownRoutes(deps, personOf), ...sessionRoutes(deps, personOf)];
}

/** For strangers: they come without a session and leave with one. */
function doorRoutes({ entrance, invitations, setup }: AuthRouteDeps): Route[] {
  return [
    streamRoute(api.getSetup, async () => ({ needed: await setup.isNeeded() })),

    streamRoute(api.setup, async (call) => {
      assertOwnPage(call);
      const { email, password } = call.body;
      await setup.createFirstOwner(call.body, fromOf(call));
      const { cookies, twoFactorRequired } = await entrance.signIn(clientOf(call.raw), fromOf(call), email, password);
      sendCookies(call, cookies);
      return { twoFactorRequired };
    }),

    streamRoute(api.signIn, async (call) => {
      assertOwnPage(call);
      const { email, password } = call.body;
      const { cookies, twoFactorRequired } = await entrance.signIn(clientOf(call.raw), fromOf(call), email, password);
      sendCookies(call, cookies);
      return { twoFactorRequired };
    }),

    streamRoute(api.signInTwoFactor, async (call) => {
      assertOwnPage(call);
      const { cookies, twoFactorRequired } = await entrance.finishSignIn(clientOf(call.raw), fromOf(call), call.body);
      sendCookies(call, cookies);
      return { twoFactorRequired };
    }),

    streamRoute(api.forgotPassword, async (call) => {
      assertOwnPage(call);
      await entrance.forgotPassword(clientOf(call.raw), call.body.email);
    }),

    streamRoute(api.resetPassword, async (call) => {
      assertOwnPage(call);
      await entrance.resetPassword(clientOf(call.raw), fromOf(call), call.body.token, call.body.password);
    }),

    streamRoute(api.getInvitationByToken, async (call, db) => {
      const { invitation, workspaceName } = await invitations.look(db, call.params.token);
      const { email, invitedBy, expiresAt } = invitation;
      const roleName = builtInRole(invitation.role)?.name ?? invitation.roleName ?? ownSetName;
      return { email, workspaceName, roleName, invitedBy, expiresAt: expiresAt.toString() };
    }),

    streamRoute(api.acceptInvitation, async (call, db) => {
      assertOwnPage(call);
      const joined = await invitations.accept(db, call.params.token, call.body, fromOf(call));
      const client = clientOf(call.raw);
      const { cookies, twoFactorRequired } = await entrance.signIn(
        client,
        fromOf(call),
        joined.email,
        call.body.password,
      );
      sendCookies(call, cookies);
      return { twoFactorRequired };
    }),
  ];
}

type PersonOf = (call: AnyCall & { readonly caller: Caller }) => SignedInPerson;

/** For the signed-in, about themselves. */
function ownRoutes({ account, audit, callers, clock, tokens }: AuthRouteDeps, personOf: PersonOf): Route[] {
  return [
    streamRoute(api.changePassword, async (call) => {
      const { currentPassword, newPassword } = call.body;
      sendCookies(call, await account.changePassword(personOf(call), currentPassword, newPassword));
    }),

    streamRoute(api.enableTwoFactor, async (call) => {
      const { uri, backupCodes } = await account.beginTwoFactor(personOf(call), call.body.password);
      return { uri, backupCodes, secret: new URL(uri).searchParams.get('secret') ?? '' };
    }),

    streamRoute(api.confirmTwoFactor, async (call) => {
      sendCookies(call, await account.confirmTwoFactor(personOf(call), call.body.code));
    }),

    streamRoute(api.disableTwoFactor, async (call) => {
      sendCookies(call, await account.endTwoFactor(personOf(call), call.body.password));
    }),

    route(api.createToken, async (tx, call) => {
      const { caller, body } = call;
      if (caller.kind === 'token') throw new AppError('forbidden', 'A token cannot make another one. Use the API key.');
      const wanted = body.scopes ?? allPermissions.filter((one) => caller.permissions.has(one));
      const lacking = wanted.filter((one) => !caller.permissions.has(one));
      if (lacking.length > 0) throw new AppError('keys/more-than-own', `You do not have: ${lacking.join(', ')}.`);
      const session = callers.sessionOf(call.raw);
      const madeFrom = session === undefined ? 'key' : 'session';
      const scopes = allPermissions.filter((one) => wanted.includes(one));
      const claims = { workspaceId: caller.workspaceId, madeFrom, sourceId: session?.id ?? caller.id, scopes } as const;
      const { token, expiresAt } = await tokens.issue(claims, body.expiresInSeconds);
      const after = { scopes, expiresAt };
      const target = { kind: madeFrom === 'key' ? 'api-key' : 'user', id: caller.id };
      await audit.record(tx, { ...originOf(call), action: 'access.granted', target, after });
      return { token, tokenType: 'Bearer' as const, expiresAt: expiresAt.toString(), scopes };
    }),

    route(api.getMe, presentMe),

    route(api.updateMe, async (tx, call) => {
      const { userId } = personOf(call).session;
      const person = await people.findPerson(tx, userId);
      if (person === undefined) throw notFound('person');
      assertZoneAndLocale(call.body);
      const { name = person.name, timeZone = person.timeZone, locale = person.locale } = call.body;
      const { name: oldName, timeZone: oldZone, locale: oldLocale } = person;
      await people.updateProfile(tx, userId, { name, timeZone, locale }, clock.now());
      await audit.record(tx, {
        ...originOf(call),
        action: 'profile.changed',
        target: { kind: 'user', id: userId },
        before: { name: oldName, timeZone: oldZone, locale: oldLocale },
        after: { name, timeZone, locale },
      });
      tx.afterCommit(() => callers.forget(userId));
      return presentMe(tx, { caller: { ...call.caller, name } });
    }),
  ];
}

function sessionRoutes({ account, audit, callers, clock }: AuthRouteDeps, personOf: PersonOf): Route[] {
  return [
    streamRoute(api.signOut, async (call) => {
      sendCookies(call, await account.signOut(personOf(call)));
    }),

    route(api.listSessions, async (tx, call) => {
      const { session } = personOf(call);
      const now = clock.now();
      const rows = await people.sessionsOf(tx, session.userId, now.subtract({ hours: idleDays * 24 }), now);
      const data = rows.map((row) => ({
        id: row.id,
        current: row.id === session.id,
        createdAt: row.createdAt.toString(),
        lastSeenAt: row.lastSeenAt.toString(),
        expiresAt: row.expiresAt.toString(),
        ip: row.ip,
        userAgent: row.userAgent,
      }));
      return { data };
    }),

    route(api.endOtherSessions, async (tx, call) => {
      const { session } = personOf(call);
      await people.deleteSessions(tx, session.userId, session.id);
      await audit.record(tx, {
        ...originOf(call),
        action: 'sessions.ended',
        target: { kind: 'user', id: session.userId },
      });
      tx.afterCommit(() => callers.forget(session.userId));
    }),

    route(api.endSession, async (tx, call) => {
      const { session } = personOf(call);
      if (!(await people.deleteSession(tx, session.userId, call.params.id))) throw notFound('session');
      await audit.record(tx, {
        ...originOf(call),
        action: 'session.ended',
        target: { kind: 'session', id: call.params.id },
      });
      tx.afterCommit(() => callers.forget(session.userId));
    }),
  ];
}

async function presentMe(tx: Tx, { caller }: { readonly caller: Caller }): Promise<api.Me> {
  const workspace = await findWorkspace(tx, 'look');
  if (workspace === undefined) throw notFound('workspace');
  const person = caller.kind === 'user' ? await people.findPerson(tx, caller.id) : undefined;
  const member = caller.kind === 'user' ? await findMember(tx, caller.id) : undefined;
  return {
    kind: caller.kind,
    id: caller.id,
    name: caller.name,
    user: person === undefined ? null : { ...person, role: member?.role ?? '' },
    workspace: { id: workspace.id, name: workspace.name },
    permissions: allPermissions.filter((one) => caller.permissions.has(one)),
  };
}

function assertZoneAndLocale({
  timeZone,
  locale,
}: {
  timeZone?: string | null | undefined;
  locale?: string | null | undefined;
}): void {
  if (typeof timeZone === 'string' && !isZone(timeZone))
    throw invalidField('/timeZone', 'is no IANA time zone, such as Europe/Berlin');
  if (typeof locale === 'string' && !isLocale(locale))
    throw invalidField('/locale', 'is no language tag, such as en-GB');
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
