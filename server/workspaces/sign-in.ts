import { betterAuth } from 'better-auth';
import { isAPIError } from 'better-auth/api';
import { twoFactor } from 'better-auth/plugins/two-factor';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import type { AuthDatabase } from './auth-database.ts';
import type { PasswordHasher } from './password.ts';
import { longestPassword, shortestPassword } from './password.rules.ts';

/** After this long a session ends, used or not. */
export const sessionSeconds = 30 * 24 * 60 * 60;
/** A session that was not used for this long has ended. */
export const idleDays = 7;
const resetSeconds = 60 * 60;
const secondFactorSeconds = 10 * 60;

export interface SignInDeps {
  readonly database: AuthDatabase;
  readonly clock: Clock;
  readonly hasher: PasswordHasher;
  readonly secret: Buffer;
  /** Known only once the port is. */
  readonly origin: () => string;
  /** Hands over the token of a reset link. */
  readonly sendReset: (
    person: { readonly id: string; readonly email: string; readonly name: string },
    token: string,
  ) => Promise<void>;
}

/** What better-auth calls its tables and columns, and what they are called in ours. */
const names = { createdAt: 'created_at', updatedAt: 'updated_at' } as const;
const tables = {
  user: { modelName: 'auth_user', fields: { ...names, emailVerified: 'email_verified' } },
  session: {
    modelName: 'auth_session',
    fields: { ...names, userId: 'user_id', expiresAt: 'expires_at', ipAddress: 'ip_address', userAgent: 'user_agent' },
  },
  account: {
    modelName: 'auth_account',
    fields: {
      ...names,
      userId: 'user_id',
      accountId: 'account_id',
      providerId: 'provider_id',
      accessToken: 'access_token',
      refreshToken: 'refresh_token',
      idToken: 'id_token',
      accessTokenExpiresAt: 'access_token_expires_at',
      refreshTokenExpiresAt: 'refresh_token_expires_at',
    },
  },
  verification: { modelName: 'auth_verification', fields: { ...names, expiresAt: 'expires_at' } },
} as const;

const twoFactorTables = {
  user: { fields: { twoFactorEnabled: 'two_factor_enabled' } },
  twoFactor: {
    modelName: 'auth_two_factor',
    fields: {
      userId: 'user_id',
      backupCodes: 'backup_codes',
      failedVerificationCount: 'failed_verification_count',
      lockedUntil: 'locked_until',
    },
  },
} as const;

/** better-auth as a library: its server functions behind our own routes; no router, no telemetry, no network of its own. */
function build({ database, clock, hasher, secret, origin, sendReset }: SignInDeps) {
  return betterAuth({
    appName: 'Parley',
    baseURL: origin(),
    basePath: '/api/v1/auth',
    secrets: [{ version: 1, value: secret.toString('base64url') }],
    database: { db: database.kysely, type: 'postgres', transaction: true },
    telemetry: { enabled: false },
    // What goes wrong is answered to the caller as a problem; its log lines would carry addresses.
    logger: { disabled: true },
    // Limits sit in our routes: they are counted per account too, and kept in the database.
    rateLimit: { enabled: false },
    user: tables.user,
    session: {
      ...tables.session,
      expiresIn: sessionSeconds,
      disableSessionRefresh: true,
      freshAge: 0,
      cookieCache: { enabled: false },
    },
    account: tables.account,
    verification: { ...tables.verification, storeIdentifier: 'hashed' },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: shortestPassword,
      maxPasswordLength: longestPassword,
      password: { hash: hasher.hash, verify: ({ hash, password }) => hasher.verify(hash, password) },
      resetPasswordTokenExpiresIn: resetSeconds,
      revokeSessionsOnPasswordReset: true,
      sendResetPassword: ({ user, token }) => sendReset(user, token),
    },
    plugins: [twoFactor({ issuer: 'Parley', twoFactorCookieMaxAge: secondFactorSeconds, schema: twoFactorTables })],
    advanced: {
      cookiePrefix: 'parley',
      cookies: { session_token: { name: 'parley_session' }, two_factor: { name: 'parley_second_factor' } },
      useSecureCookies: origin().startsWith('https:'),
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', path: '/' },
      database: { generateId: () => newId(clock) },
      ipAddress: { ipAddressHeaders: [addressHeader] },
      // Requests are checked in our own shell (see csrf.rules.ts) before anything here is called.
      disableCSRFCheck: true,
      disableOriginCheck: true,
    },
  });
}

type Auth = ReturnType<typeof build>;

/** Carries the client's address, as our shell determined it, to better-auth; taken from no request. */
const addressHeader = 'x-parley-client-address';

export interface Client {
  readonly cookie: string | undefined;
  readonly ip: string;
  readonly userAgent: string;
}

export type CookieList = readonly string[];

/** What better-auth refused, by its own code. */
export class SignInRefusal extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.name = 'SignInRefusal';
    this.code = code;
  }
}

export interface LiveSession {
  readonly id: string;
  readonly userId: string;
  readonly userName: string;
}

export interface SignIn {
  /** The name of the session cookie, which depends on whether the origin is https. */
  sessionCookie(): string;
  findSession(client: Client): Promise<LiveSession | undefined>;
  withPassword(
    client: Client,
    email: string,
    password: string,
  ): Promise<{ cookies: CookieList; userId: string | undefined }>;
  withSecondFactor(
    client: Client,
    proof: SecondFactor,
  ): Promise<{ cookies: CookieList; userId: string; sessionToken: string | undefined }>;
  end(client: Client): Promise<CookieList>;
  requestReset(email: string): Promise<void>;
  /** Whose reset link this is; undefined when it does not work (any more). */
  ownerOfReset(token: string): Promise<{ id: string; email: string; name: string } | undefined>;
  reset(tx: Tx, token: string, password: string): Promise<void>;
  changePassword(tx: Tx, client: Client, current: string, next: string): Promise<CookieList>;
  beginTwoFactor(tx: Tx, client: Client, password: string): Promise<{ uri: string; backupCodes: string[] }>;
  confirmTwoFactor(tx: Tx, client: Client, code: string): Promise<CookieList>;
  endTwoFactor(tx: Tx, client: Client, password: string): Promise<CookieList>;
}

export type SecondFactor = { readonly code: string } | { readonly backupCode: string };

/** Sign-in as the rest of the slice uses it. Throws `SignInRefusal` with better-auth's code when it refuses. */
export function createSignIn(deps: SignInDeps): SignIn {
  let built: { readonly origin: string; readonly auth: Auth } | undefined;
  const auth = () => {
    const origin = deps.origin();
    if (built?.origin !== origin) built = { origin, auth: build(deps) };
    return built.auth;
  };
  const sessionCookie = () => `${deps.origin().startsWith('https:') ? '__Secure-' : ''}parley_session`;
  return {
    sessionCookie,
    ...entering(auth, sessionCookie),
    ...resetting(auth, deps),
    ...changing(auth, deps.database),
  };
}

type Entering = Pick<SignIn, 'findSession' | 'withPassword' | 'withSecondFactor' | 'end'>;

function entering(auth: () => Auth, sessionCookie: () => string): Entering {
  return {
    findSession: async (client) => {
      const found = await auth().api.getSession({ headers: headersOf(client), query: { disableRefresh: true } });
      return found === null ? undefined : { id: found.session.id, userId: found.user.id, userName: found.user.name };
    },

    withPassword: async (client, email, password) => {
      const headers = headersOf(withoutCookie(client, sessionCookie()));
      const { headers: answer, response } = await refusing(() =>
        auth().api.signInEmail({ body: { email, password }, headers, returnHeaders: true }),
      );
      return { cookies: answer.getSetCookie(), userId: 'user' in response ? response.user.id : undefined };
    },

    withSecondFactor: async (client, proof) => {
      // Without the session cookie: with one, a code would confirm that session instead of finishing this sign-in.
      const headers = headersOf(withoutCookie(client, sessionCookie()));
      const { headers: answer, response } = await refusing(() =>
        'code' in proof
          ? auth().api.verifyTOTP({ body: { code: proof.code }, headers, returnHeaders: true })
          : auth().api.verifyBackupCode({ body: { code: proof.backupCode }, headers, returnHeaders: true }),
      );
      return { cookies: answer.getSetCookie(), userId: response.user.id, sessionToken: response.token };
    },

    end: async (client) => {
      const { headers } = await refusing(() => auth().api.signOut({ headers: headersOf(client), returnHeaders: true }));
      return headers.getSetCookie();
    },
  };
}

type Resetting = Pick<SignIn, 'requestReset' | 'ownerOfReset' | 'reset'>;

function resetting(auth: () => Auth, { database, clock }: SignInDeps): Resetting {
  return {
    requestReset: async (email) => {
      await refusing(() => auth().api.requestPasswordReset({ body: { email } }));
    },

    ownerOfReset: async (token) => {
      const { internalAdapter } = await auth().$context;
      const found = await internalAdapter.findVerificationValue(`reset-password:${token}`);
      if (!found || found.expiresAt.getTime() < clock.now().epochMilliseconds) return undefined;
      return (await internalAdapter.findUserById(found.value)) ?? undefined;
    },

    reset: async (tx, token, password) => {
      const body = { token, newPassword: password };
      await database.within(tx, () => refusing(() => auth().api.resetPassword({ body })));
    },
  };
}

type Changing = Pick<SignIn, 'changePassword' | 'beginTwoFactor' | 'confirmTwoFactor' | 'endTwoFactor'>;

function changing(auth: () => Auth, database: AuthDatabase): Changing {
  /** In the caller's transaction; answers the cookies of the session that takes the place of the old one. */
  const cookiesOf = (tx: Tx, work: () => Promise<{ headers: Headers }>): Promise<CookieList> =>
    database.within(tx, async () => (await refusing(work)).headers.getSetCookie());

  return {
    changePassword: (tx, client, current, next) => {
      const body = { currentPassword: current, newPassword: next, revokeOtherSessions: true };
      const headers = headersOf(client);
      return cookiesOf(tx, () => auth().api.changePassword({ body, headers, returnHeaders: true }));
    },

    beginTwoFactor: (tx, client, password) =>
      database.within(tx, async () => {
        const answer = await refusing(() =>
          auth().api.enableTwoFactor({ body: { password, method: 'totp' }, headers: headersOf(client) }),
        );
        if (!('totpURI' in answer)) throw new Error('enrolment gave no secret');
        return { uri: answer.totpURI, backupCodes: answer.backupCodes };
      }),

    confirmTwoFactor: (tx, client, code) =>
      cookiesOf(tx, () => auth().api.verifyTOTP({ body: { code }, headers: headersOf(client), returnHeaders: true })),

    endTwoFactor: (tx, client, password) =>
      cookiesOf(tx, () =>
        auth().api.disableTwoFactor({ body: { password }, headers: headersOf(client), returnHeaders: true }),
      ),
  };
}

function headersOf(client: Client): Headers {
  const headers = new Headers({ 'user-agent': client.userAgent, [addressHeader]: client.ip });
  if (client.cookie !== undefined) headers.set('cookie', client.cookie);
  return headers;
}

function withoutCookie(client: Client, name: string): Client {
  const kept = client.cookie?.split(';').filter((pair) => pair.trim().split('=', 1)[0] !== name);
  return { ...client, cookie: kept?.join(';') };
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAPIError(error)) throw error;
    throw new SignInRefusal(error.body?.code ?? error.message);
  }
}
