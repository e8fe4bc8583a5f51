import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { silentLog } from '../platform/log.ts';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { csrfHeader } from './csrf.rules.ts';
import type { SystemMail } from './mail.ts';
import { workspacesRoutes } from './routes.ts';
import { createWorkspaces } from './workspaces.ts';
import type { Workspaces } from './workspaces.ts';

export const origin = 'http://127.0.0.1:3000';

/** The slice behind a real HTTP shell on a real database; mails are caught. */
export interface Setting {
  readonly test: TestDb;
  readonly workspaces: Workspaces;
  readonly app: FastifyInstance;
  readonly mails: (SystemMail & { workspaceId: string })[];
  /** Set to make the mail port fail. */
  readonly trouble: { mail: boolean };
  readonly created: string[];
  visitor(ip?: string): Visitor;
  bearer(secret: string): Visitor;
  close(): Promise<void>;
}

/** Somebody with a cookie jar (or a bearer credential), as a browser or a program would call. */
export interface Visitor {
  readonly cookies: Map<string, string>;
  call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown> & { data?: Record<string, unknown>[] };
  readonly headers: LightMyRequestResponse['headers'];
  readonly setCookies: readonly string[];
}

/** Sign-in goes by the real time (better-auth reads it), so the clock of the test starts there; it only moves when told. */
export async function createSetting(publicOrigin = origin): Promise<Setting> {
  const test = await createTestDb(Temporal.Now.instant().toString());
  const mails: (SystemMail & { workspaceId: string })[] = [];
  const created: string[] = [];
  const trouble = { mail: false };
  const workspaces = createWorkspaces({
    db: test.db,
    clock: test.clock,
    log: silentLog,
    vault: test.vault,
    origin: () => publicOrigin,
    sendSystemMail: async (workspaceId, mail) => {
      if (trouble.mail) throw new Error('no account can send');
      mails.push({ ...mail, workspaceId });
    },
    onWorkspaceCreated: async (tx) => void created.push(tx.workspaceId),
  });
  const app = await createTestApp(test, workspacesRoutes(workspaces.routeDeps), workspaces.authenticate);
  // The fixture's own workspace would make this database one that is in use.
  await test.owner.query('delete from workspace_key where workspace_id = $1', [test.workspaceId]);
  await test.owner.query('delete from workspace where id = $1', [test.workspaceId]);
  return {
    test,
    workspaces,
    app,
    mails,
    trouble,
    created,
    visitor: (ip = '192.0.2.1') => visitor(app, ip),
    bearer: (secret) => visitor(app, '192.0.2.1', secret),
    close: async () => {
      await workspaces.idle();
      await app.close();
      await test.close();
    },
  };
}

function visitor(app: FastifyInstance, ip: string, secret?: string): Visitor {
  const cookies = new Map<string, string>();
  return {
    cookies,
    call: async (method, path, body, headers = {}) => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const options: InjectOptions = {
        method,
        url: `/api/v1${path}`,
        remoteAddress: ip,
        headers: {
          ...(secret === undefined
            ? { origin, 'sec-fetch-site': 'same-origin', [csrfHeader]: '1' }
            : { authorization: `Bearer ${secret}` }),
          ...(cookie === '' ? {} : { cookie }),
          'user-agent': 'Test browser',
          ...headers,
        },
        ...(body === undefined ? {} : { payload: body as object }),
      };
      const response = await app.inject(options);
      const setCookies = [response.headers['set-cookie'] ?? []].flat();
      for (const line of setCookies) keep(cookies, line);
      return {
        status: response.statusCode,
        body: response.body === '' ? {} : (JSON.parse(response.body) as Answer['body']),
        headers: response.headers,
        setCookies,
      };
    },
  };
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';');
  const [name = '', ...value] = pair.split('=');
  if (attributes.some((one) => /^\s*max-age=0$/i.test(one)) || value.join('=') === '') cookies.delete(name.trim());
  else cookies.set(name.trim(), value.join('='));
}

export const ownerPassword = 'violet turnip archive';

/** The first owner, signed in. */
export async function firstOwner(setting: Setting): Promise<Visitor> {
  const visitor_ = setting.visitor();
  const body = { workspaceName: 'Acme', name: 'Olga Owner', email: 'Olga@example.com', password: ownerPassword };
  const answer = await visitor_.call('POST', '/auth/setup', body);
  if (answer.status !== 201) throw new Error(`setup failed: ${JSON.stringify(answer.body)}`);
  return visitor_;
}

/** Somebody invited by `inviter`, who accepted, signed in. */
export async function newMember(
  inviter: Visitor,
  setting: Setting,
  email: string,
  grant: object,
): Promise<Visitor & { userId: string }> {
  const invited = await inviter.call('POST', '/invitations', { email, grant });
  if (invited.status !== 201) throw new Error(`invitation failed: ${JSON.stringify(invited.body)}`);
  const token = String(invited.body['url']).split('/').at(-1);
  const newcomer = setting.visitor();
  const joined = await newcomer.call('POST', `/auth/invitations/${token}/accept`, {
    name: email.split('@')[0],
    password: ownerPassword,
  });
  if (joined.status !== 201) throw new Error(`joining failed: ${JSON.stringify(joined.body)}`);
  const me = await newcomer.call('GET', '/me');
  return Object.assign(newcomer, { userId: String(me.body['id']) });
}
