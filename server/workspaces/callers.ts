import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Permission } from '../../contract/permissions.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { Authenticate, Caller } from '../platform/http.ts';
import { createBackground } from './background.ts';
import type { Background } from './background.ts';
import { csrfHeader, refuseCookieRequest } from './csrf.rules.ts';
import { findKeyByHash, findKeyById, touchKey } from './keys.store.ts';
import type { FoundKey } from './keys.store.ts';
import { findPerson, findSession, membershipsOf, touchSession } from './people.store.ts';
import type { MembershipRow } from './people.store.ts';
import { knownPermissions, permissionsOf } from './roles.rules.ts';
import { idleDays } from './sign-in.ts';
import type { Client, SignIn } from './sign-in.ts';
import { looksLikeToken, refusal } from './tokens.ts';
import type { Tokens } from './tokens.ts';

/** How long a credential that was found good is taken as good: bounds how long a revoked one still works. */
const trustedMs = 5_000;
/** `last used` is kept to the minute. */
const seenEveryMs = 60_000;
const mostCached = 10_000;

/** Where a signed-in person's request comes from, besides who they are. */
export interface SessionInfo {
  readonly id: string;
  readonly userId: string;
  readonly role: string;
}

export interface Callers {
  readonly authenticate: Authenticate;
  /** The session behind a request that `authenticate` let in; undefined for keys and tokens. */
  sessionOf(request: FastifyRequest): SessionInfo | undefined;
  /** Drops what this process has cached of a person or key, so that a change counts at once here. */
  forget(id: string): void;
}

export interface CallerDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly signIn: Pick<SignIn, 'findSession' | 'sessionCookie'>;
  readonly tokens: Pick<Tokens, 'read'>;
  readonly origin: () => string;
  readonly background?: Background;
}

interface Known {
  readonly until: number;
  readonly caller: Caller;
  readonly session: SessionInfo | undefined;
  readonly expiresAt: Temporal.Instant | null;
  /** Key id, or session id and user id: what `forget` may be asked for. */
  readonly tags: readonly string[];
}

export function createCallers(deps: CallerDeps): Callers {
  const { db, clock, signIn, tokens } = deps;
  const background = deps.background ?? createBackground(() => undefined);
  const cache = new Map<string, Known>();
  const sessions = new WeakMap<FastifyRequest, SessionInfo>();
  const seen = new Map<string, number>();

  const cached = async (credential: string, find: () => Promise<Omit<Known, 'until'>>): Promise<Known> => {
    const now = clock.now();
    const hash = sha256(credential).toString('base64url');
    const hit = cache.get(hash);
    const lives = hit !== undefined && (hit.expiresAt === null || Temporal.Instant.compare(hit.expiresAt, now) > 0);
    if (hit !== undefined && lives && hit.until > now.epochMilliseconds) return hit;
    cache.delete(hash);
    const known = { ...(await find()), until: now.epochMilliseconds + trustedMs };
    if (cache.size >= mostCached) cache.clear();
    cache.set(hash, known);
    return known;
  };

  /** Writes "last used" beside the request, at most once a minute per credential. */
  const noteUse = (id: string, last: Temporal.Instant | null, write: () => Promise<void>) => {
    const now = clock.now().epochMilliseconds;
    if (now - Math.max(seen.get(id) ?? 0, last?.epochMilliseconds ?? 0) < seenEveryMs) return;
    if (seen.size >= mostCached) seen.clear();
    seen.set(id, now);
    background.run(write());
  };

  const byKey = async (secret: string): Promise<Omit<Known, 'until'>> => {
    const hash = sha256(secret);
    const key = await db.system((tx) => findKeyByHash(tx, hash));
    if (key === undefined || !timingSafeEqual(key.hash, hash))
      throw refusal('auth/invalid-key', 'This API key is not known.');
    return knownKey(key);
  };

  const knownKey = (key: FoundKey): Omit<Known, 'until'> => {
    if (key.revokedAt !== null) throw refusal('auth/key-revoked', 'This API key was revoked.');
    if (key.expiresAt !== null && Temporal.Instant.compare(key.expiresAt, clock.now()) <= 0)
      throw refusal('auth/key-expired', 'This API key has expired.');
    noteUse(key.id, key.lastUsedAt, () => db.transaction(key.workspaceId, (tx) => touchKey(tx, key.id, clock.now())));
    const permissions = new Set(knownPermissions(key.scopes));
    const caller: Caller = { workspaceId: key.workspaceId, kind: 'key', id: key.id, name: key.name, permissions };
    return { caller, session: undefined, expiresAt: key.expiresAt, tags: [key.id] };
  };

  const bySession = async (
    id: string,
    userId: string,
    name: string,
    expiresAt: Temporal.Instant,
  ): Promise<Omit<Known, 'until'>> => {
    const now = clock.now();
    const { row, memberships } = await db.system(async (tx) => ({
      row: await findSession(tx, id),
      memberships: await membershipsOf(tx, userId),
    }));
    const idleSince = now.subtract({ hours: idleDays * 24 });
    if (
      row === undefined ||
      Temporal.Instant.compare(row.lastSeenAt, idleSince) < 0 ||
      Temporal.Instant.compare(row.expiresAt, now) < 0
    )
      throw sessionEnded();
    const membership = openMembership(memberships);
    const permissions = new Set(permissionsOf(membership.role, membership.permissions, false));
    noteUse(id, row.lastSeenAt, () => db.system((tx) => touchSession(tx, id, clock.now())));
    const caller: Caller = { workspaceId: membership.workspaceId, kind: 'user', id: userId, name, permissions };
    return { caller, session: { id, userId, role: membership.role }, expiresAt, tags: [id, userId] };
  };

  const byCookie = async (request: FastifyRequest, cookie: string): Promise<Known> => {
    const known = await cached(`cookie:${cookie}`, async () => {
      const session = await signIn.findSession(clientOf(request));
      if (session === undefined) throw sessionEnded();
      return bySession(session.id, session.userId, session.userName, session.expiresAt);
    });
    const refused = refuseCookieRequest(originHeaders(request), deps.origin());
    if (refused !== undefined) throw new AppError('csrf-refused', refused);
    if (known.session !== undefined) sessions.set(request, known.session);
    return known;
  };

  const byToken = async (token: string): Promise<Omit<Known, 'until'>> => {
    const claims = await tokens.read(token);
    const source =
      claims.madeFrom === 'key'
        ? await keySource(claims.workspaceId, claims.sourceId)
        : await sessionSource(claims.sourceId);
    if (source.caller.workspaceId !== claims.workspaceId)
      throw refusal('auth/invalid-token', 'This token is of another workspace.');
    const permissions = new Set<Permission>(claims.scopes.filter((one) => source.caller.permissions.has(one)));
    return {
      ...source,
      expiresAt: claims.expiresAt,
      session: undefined,
      caller: { ...source.caller, kind: 'token', permissions },
    };
  };

  const keySource = async (workspaceId: string, id: string) => {
    const key = await db.read(workspaceId, (tx) => findKeyById(tx, id));
    if (key === undefined) throw refusal('auth/invalid-token', 'What this token was made from is no longer there.');
    return knownKey(key);
  };

  const sessionSource = async (id: string) => {
    const found = await db.system(async (tx) => {
      const row = await findSession(tx, id);
      return row === undefined ? undefined : { row, person: await findPerson(tx, row.userId) };
    });
    if (found?.person === undefined) throw sessionEnded();
    return bySession(id, found.person.id, found.person.name, found.row.expiresAt);
  };

  return {
    authenticate: async (request) => {
      const bearer = bearerOf(request);
      if (bearer !== undefined) {
        if (looksLikeToken(bearer)) return (await cached(`token:${bearer}`, () => byToken(bearer))).caller;
        return (await cached(`key:${bearer}`, () => byKey(bearer))).caller;
      }
      const cookie = request.cookies[signIn.sessionCookie()];
      return cookie === undefined || cookie === '' ? undefined : (await byCookie(request, cookie)).caller;
    },
    sessionOf: (request) => sessions.get(request),
    forget: (id) => {
      for (const [hash, known] of cache) if (known.tags.includes(id)) cache.delete(hash);
    },
  };
}

/** The first workspace that lets the person in. */
export function openMembership(memberships: readonly MembershipRow[]): MembershipRow {
  const open = memberships.find((one) => one.disabledAt === null);
  if (open === undefined)
    throw new AppError('auth/shut-out', 'You have no access to any workspace here. Ask an owner.');
  return open;
}

export function clientOf(request: FastifyRequest): Client {
  return {
    cookie: request.headers.cookie,
    ip: request.ip,
    userAgent: (request.headers['user-agent'] ?? '').slice(0, 500),
  };
}

export function originHeaders(request: FastifyRequest) {
  const { headers, method } = request;
  const marker = headers[csrfHeader];
  const site = headers['sec-fetch-site'];
  return {
    method,
    origin: headers.origin,
    secFetchSite: typeof site === 'string' ? site : undefined,
    marker: typeof marker === 'string' ? marker : undefined,
  };
}

function bearerOf(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
  const bearer = /^Bearer +([\x21-\x7e]{1,4000}) *$/i.exec(header)?.[1];
  if (bearer === undefined) throw refusal('unauthenticated', 'Authorization: must be "Bearer <API key or token>".');
  return bearer;
}

function sessionEnded(): AppError {
  return new AppError('auth/session-ended', 'This session has ended. Sign in again.');
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
