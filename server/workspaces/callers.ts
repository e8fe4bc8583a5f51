import { hash as digest, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Permission } from '../../contract/permissions.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { Authenticate, Caller } from '../platform/http.ts';
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
  readonly background: Background;
}

/** What a credential stands for, before it is cached. */
interface Found {
  readonly caller: Caller;
  readonly session: SessionInfo | undefined;
  readonly expiresAt: Temporal.Instant | null;
  /** Key id, or session id and user id: what `forget` may be asked for. */
  readonly tags: readonly string[];
}

/** Writes "last used" beside the request, at most once a minute per credential. */
type NoteUse = (id: string, last: Temporal.Instant | null, write: () => Promise<void>) => void;

type Finders = CallerDeps & { readonly noteUse: NoteUse };

export function createCallers(deps: CallerDeps): Callers {
  const { clock, signIn } = deps;
  const finders = { ...deps, noteUse: createNoteUse(clock, deps.background) };
  const cache = createCredentialCache(clock);
  const sessions = new WeakMap<FastifyRequest, SessionInfo>();

  const byBearer = (bearer: string): Promise<Found> =>
    looksLikeToken(bearer)
      ? cache.get(`token:${bearer}`, () => byToken(finders, bearer))
      : cache.get(`key:${bearer}`, () => byKey(finders, bearer));

  const byCookie = async (request: FastifyRequest, cookie: string): Promise<Found> => {
    const found = await cache.get(`cookie:${cookie}`, async () => {
      const session = await signIn.findSession(clientOf(request));
      if (session === undefined) throw sessionEnded();
      return bySession(finders, session.id, session.userId, session.userName);
    });
    const refused = refuseCookieRequest(originHeaders(request), deps.origin());
    if (refused !== undefined) throw new AppError('csrf-refused', refused);
    if (found.session !== undefined) sessions.set(request, found.session);
    return found;
  };

  return {
    authenticate: async (request) => {
      const bearer = bearerOf(request);
      if (bearer !== undefined) return (await byBearer(bearer)).caller;
      const cookie = request.cookies[signIn.sessionCookie()];
      return cookie === undefined || cookie === '' ? undefined : (await byCookie(request, cookie)).caller;
    },
    sessionOf: (request) => sessions.get(request),
    forget: cache.forget,
  };
}

interface CredentialCache {
  get(credential: string, find: () => Promise<Found>): Promise<Found>;
  forget(tag: string): void;
}

/** Under the credential's hash, so that a dump of the memory's maps shows none. Only what was found good is kept. */
function createCredentialCache(clock: Clock): CredentialCache {
  const cache = new Map<string, Found & { readonly until: number }>();
  return {
    get: async (credential, find) => {
      const now = clock.now();
      const hash = digest('sha256', credential, 'base64url');
      const hit = cache.get(hash);
      if (hit !== undefined && hit.until > now.epochMilliseconds && isLive(hit.expiresAt, now)) return hit;
      cache.delete(hash);
      const found = await find();
      if (cache.size >= mostCached) cache.clear();
      cache.set(hash, { ...found, until: now.epochMilliseconds + trustedMs });
      return found;
    },
    forget: (tag) => {
      for (const [hash, known] of cache) if (known.tags.includes(tag)) cache.delete(hash);
    },
  };
}

function isLive(expiresAt: Temporal.Instant | null, now: Temporal.Instant): boolean {
  return expiresAt === null || isBefore(now, expiresAt);
}

function createNoteUse(clock: Clock, background: Background): NoteUse {
  const seen = new Map<string, number>();
  return (id, last, write) => {
    const now = clock.now().epochMilliseconds;
    if (now - Math.max(seen.get(id) ?? 0, last?.epochMilliseconds ?? 0) < seenEveryMs) return;
    if (seen.size >= mostCached) seen.clear();
    seen.set(id, now);
    background.run(write());
  };
}

async function byKey(finders: Finders, secret: string): Promise<Found> {
  const hash = sha256(secret);
  const key = await finders.db.system((tx) => findKeyByHash(tx, hash));
  if (key === undefined || !timingSafeEqual(key.hash, hash))
    throw refusal('auth/invalid-key', 'This API key is not known.');
  return keyCaller(finders, key);
}

function keyCaller({ db, clock, noteUse }: Finders, key: FoundKey): Found {
  if (key.revokedAt !== null) throw refusal('auth/key-revoked', 'This API key was revoked.');
  if (!isLive(key.expiresAt, clock.now())) throw refusal('auth/key-expired', 'This API key has expired.');
  noteUse(key.id, key.lastUsedAt, () => db.transaction(key.workspaceId, (tx) => touchKey(tx, key.id, clock.now())));
  const permissions = new Set(knownPermissions(key.scopes));
  const caller: Caller = { workspaceId: key.workspaceId, kind: 'key', id: key.id, name: key.name, permissions };
  return { caller, session: undefined, expiresAt: key.expiresAt, tags: [key.id] };
}

async function bySession({ db, clock, noteUse }: Finders, id: string, userId: string, name: string): Promise<Found> {
  const now = clock.now();
  const { row, memberships } = await db.system(async (tx) => ({
    row: await findSession(tx, id),
    memberships: await membershipsOf(tx, userId),
  }));
  const idleSince = now.subtract({ hours: idleDays * 24 });
  if (row === undefined || isBefore(row.lastSeenAt, idleSince) || isBefore(row.expiresAt, now)) throw sessionEnded();
  const { workspaceId, role, permissions } = openMembership(memberships);
  noteUse(id, row.lastSeenAt, () => db.system((tx) => touchSession(tx, id, clock.now())));
  const held = new Set(permissionsOf(role, permissions, false));
  const caller: Caller = { workspaceId, kind: 'user', id: userId, name, permissions: held };
  return { caller, session: { id, userId, role }, expiresAt: row.expiresAt, tags: [id, userId] };
}

function isBefore(one: Temporal.Instant, other: Temporal.Instant): boolean {
  return Temporal.Instant.compare(one, other) < 0;
}

async function byToken(finders: Finders, token: string): Promise<Found> {
  const claims = await finders.tokens.read(token);
  const { workspaceId, sourceId, madeFrom, scopes, expiresAt } = claims;
  const source = await (madeFrom === 'key'
    ? keySource(finders, workspaceId, sourceId)
    : sessionSource(finders, sourceId));
  if (source.caller.workspaceId !== workspaceId)
    throw refusal('auth/invalid-token', 'This token is of another workspace.');
  const permissions = new Set<Permission>(scopes.filter((one) => source.caller.permissions.has(one)));
  return { ...source, expiresAt, session: undefined, caller: { ...source.caller, kind: 'token', permissions } };
}

async function keySource(finders: Finders, workspaceId: string, id: string): Promise<Found> {
  const key = await finders.db.read(workspaceId, (tx) => findKeyById(tx, id));
  if (key === undefined) throw refusal('auth/invalid-token', 'What this token was made from is no longer there.');
  return keyCaller(finders, key);
}

async function sessionSource(finders: Finders, id: string): Promise<Found> {
  const person = await finders.db.system(async (tx) => {
    const row = await findSession(tx, id);
    return row === undefined ? undefined : findPerson(tx, row.userId);
  });
  if (person === undefined) throw sessionEnded();
  return bySession(finders, id, person.id, person.name);
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
  return digest('sha256', text, 'buffer');
}
