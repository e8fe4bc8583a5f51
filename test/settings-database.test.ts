import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../bench/rig.ts';
import { startEmbedded } from '../server/platform/embedded.ts';
import type { EmbeddedPostgres } from '../server/platform/embedded.ts';
import { silentLog } from '../server/platform/log.ts';
import { cleanUp, key, masterKey, newFolder, refusal, run, start, stopAll } from './start.ts';
import type { Environment, Running } from './start.ts';
import { asker } from './world.ts';

/** The start-up contract where the database is the operator's: roles, two processes on one database, proxies, origins. */
afterEach(stopAll, 60_000);
afterAll(cleanUp);

describe('on a database of your own', () => {
  const folder = newFolder();
  let postgres: EmbeddedPostgres;
  let owner: pg.Client;
  beforeAll(async () => {
    postgres = await startEmbedded({ dataDir: folder, superuserPassword: 'super', log: silentLog });
    owner = new pg.Client({ connectionString: postgres.ownerUrl });
    await owner.connect();
  }, 120_000);
  afterAll(async () => {
    await owner.end();
    await postgres.stop();
  }, 60_000);

  const urlOf = (role: string, database: string, password = 'pw') => {
    const url = new URL(postgres.ownerUrl);
    url.username = role;
    url.password = role === 'postgres' ? 'super' : password;
    url.pathname = `/${database}`;
    return url.toString();
  };
  let made = 0;
  /** A database that belongs to a new role with these rights. */
  const newDatabase = async (rights = '') => {
    const name = `d${++made}`;
    await owner.query(`create role ${name} login password 'pw' ${rights}`);
    await owner.query(`create database ${name} owner ${name}`);
    return name;
  };
  const external = (name: string, more: Environment = {}): Environment => ({
    DATABASE_URL: urlOf(name, name),
    PARLEY_MASTER_KEY: masterKey,
    PARLEY_DATA_DIR: newFolder(),
    ...more,
  });

  test('one URL that may create roles is enough, also the second time; the server then is another, weaker role', async () => {
    const name = await newDatabase('createrole');
    for (let round = 0; round < 2; round++) {
      const environment = external(name);
      const server = await start(environment);
      expect((await server.api('GET', '/topics')).status).toBe(200);
      const users = await owner.query<{ name: string; strong: boolean }>(
        `select distinct usename as name, rolsuper or rolbypassrls or rolcreaterole as strong
         from pg_stat_activity join pg_roles on rolname = usename where datname = $1`,
        [name],
      );
      expect(users.rows).toEqual([{ name: `${name}_server`, strong: false }]);
      expect(await server.stop()).toBe(0);
      // Nothing that is needed lies beside the database: neither a key nor a cluster.
      expect(readdirSync(environment['PARLEY_DATA_DIR'] ?? '').filter((one) => one !== 'objects')).toEqual([]);
    }
  }, 240_000);

  test('one URL that may not is refused with what to do', async () => {
    const name = await newDatabase();
    expect(await refusal(external(name))).toMatch(/CREATEROLE.*PARLEY_MIGRATE_URL/);
  }, 60_000);

  test('with an owner to migrate, a plain role serves; a strong one is refused', async () => {
    const name = await newDatabase();
    const migrating = { PARLEY_MIGRATE_URL: urlOf(name, name) };
    await owner.query(`create role ${name}_plain login password 'pw'`);
    const server = await start(external(name, { ...migrating, DATABASE_URL: urlOf(`${name}_plain`, name) }));
    expect((await server.api('POST', '/topics', { key: 'news', name: 'News' })).status).toBe(201);
    expect(await server.stop()).toBe(0);

    await owner.query(`create role ${name}_bypass login password 'pw' bypassrls`);
    await owner.query(`create role ${name}_member login password 'pw' in role ${name}`);
    for (const role of ['postgres', name, `${name}_bypass`, `${name}_member`])
      expect(await refusal(external(name, { ...migrating, DATABASE_URL: urlOf(role, name) })), role).toMatch(
        /could bypass row-level security/,
      );
    expect(await refusal(external(name, { ...migrating, DATABASE_URL: urlOf('nobody_here', name) }))).toContain(
      'does not exist',
    );
    const wrong = urlOf(`${name}_plain`, name, 'wrong');
    expect(await refusal(external(name, { ...migrating, DATABASE_URL: wrong }))).toContain('cannot be reached');
    const elsewhere = urlOf(`${name}_plain`, 'postgres');
    expect(await refusal(external(name, { ...migrating, DATABASE_URL: elsewhere }))).toContain('different databases');
  }, 240_000);

  test('another master key than it was sealed with is refused', async () => {
    const name = await newDatabase('createrole');
    const first = await start(external(name));
    expect(await first.stop()).toBe(0);
    const other = Buffer.alloc(32, 8).toString('base64');
    expect(await refusal(external(name, { PARLEY_MASTER_KEY: other }))).toContain('PARLEY_MASTER_KEY');
    const again = await start(external(name));
    expect((await again.api('GET', '/topics')).status).toBe(200);
  }, 240_000);

  test('as two processes: one serves, the other works', async () => {
    const name = await newDatabase('createrole');
    // Both keep files, so they share the folder.
    const shared = external(name);
    const api = await start({ ...shared, PARLEY_ROLE: 'api' });
    expect((await api.ask('GET', '/readyz')).status).toBe(200);
    await api.api('POST', '/topics', { key: 'news', name: 'News' });
    const template = await api.api('POST', '/templates', {
      name: 'Hello',
      channel: 'email',
      category: 'marketing',
      locale: 'en',
      subject: 'Hello',
      html: '<p>Hello</p>',
    });
    await api.api('POST', '/compliance/consent', {
      address: { kind: 'email', value: 'ada@example.com' },
      channel: 'email',
      topic: 'news',
      action: 'grant',
      basis: 'consent',
      evidence: { source: 'form' },
    });
    const message = await api.api('POST', '/messages/send_with_consent', {
      channel: 'email',
      topic: 'news',
      to: { email: 'ada@example.com' },
      templateId: template.json?.['id'],
    });
    expect(message.status, message.text).toBe(202);
    const imported = await api.api('POST', '/contacts/import', 'email\nbob@example.com\n', {
      'content-type': 'text/csv',
    });
    // Nothing works here, however long it is waited for: what is asked for stays to be done.
    for (let look = 0; look < 10; look++) {
      expect((await api.api('GET', '/sandbox/messages')).json).toMatchObject({ data: [] });
      expect((await api.api('GET', `/imports/${String(imported.json?.['id'])}`)).json).toMatchObject({
        state: 'running',
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const worker = await start({ ...shared, PARLEY_ROLE: 'worker' });
    expect((await worker.ask('GET', '/readyz')).status).toBe(200);
    await until(
      async () => ((await api.api('GET', '/sandbox/messages')).text.includes('ada@example.com') ? true : undefined),
      100,
      60_000,
    );
    await until(
      async () =>
        (await api.api('GET', `/imports/${String(imported.json?.['id'])}`)).json?.['state'] === 'done' || undefined,
      100,
      60_000,
    );
    expect(await worker.stop()).toBe(0);
    expect(await api.stop()).toBe(0);
  }, 240_000);

  test('PARLEY_TRUSTED_PROXIES alone decide whether a forwarded address counts', async () => {
    const name = await newDatabase('createrole');
    const addressSeen = async (server: Running, topic: string, forwarded: string) => {
      const answer = await server.api(
        'POST',
        '/topics',
        { key: topic, name: topic },
        { 'x-forwarded-for': forwarded, forwarded: `for=${forwarded}` },
      );
      expect(answer.status, answer.text).toBe(201);
      const { data } = JSON.parse((await server.api('GET', '/audit/logs?action=topic.created&limit=1')).text) as {
        data: { ip: string }[];
      };
      return data[0]?.ip;
    };
    const alone = await start(external(name));
    expect(await addressSeen(alone, 'a', '203.0.113.7')).toBe('127.0.0.1');
    expect(await alone.stop()).toBe(0);
    const behind = await start(external(name, { PARLEY_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' }));
    expect(await addressSeen(behind, 'b', '203.0.113.7')).toBe('203.0.113.7');
    expect(await addressSeen(behind, 'c', '203.0.113.7, 10.1.2.3')).toBe('203.0.113.7');
    // What stands before the last address that is not trusted was written by the caller.
    expect(await addressSeen(behind, 'd', '198.51.100.9, 203.0.113.7')).toBe('203.0.113.7');
  }, 240_000);

  test('PARLEY_HOST, PARLEY_PORT, PARLEY_URL, PARLEY_ALLOW_PRIVATE_NETWORKS and PARLEY_LOG_LEVEL do what they say', async () => {
    const name = await newDatabase('createrole');
    const taken = createServer();
    const port = await new Promise<number>((resolve) =>
      taken.listen(0, '127.0.0.1', () => {
        const address = taken.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      }),
    );
    expect(await refusal(external(name, { PARLEY_PORT: String(port) }))).toMatch(new RegExp(`PARLEY_PORT: .*${port}`));
    await new Promise((resolve) => taken.close(resolve));
    expect(await refusal(external(name, { PARLEY_HOST: 'no-such-host.invalid' }))).toContain('PARLEY_HOST');

    const smtp = {
      kind: 'smtp',
      channel: 'email',
      name: 'Mine',
      settings: { host: '127.0.0.1', port: 25, security: 'none' },
    };
    const tested = async (server: Running) => {
      const account = await server.ask('POST', '/api/v1/providers', { key, body: smtp });
      const answer = await server.ask('POST', `/api/v1/providers/${String(account.json?.['id'])}/test`, {
        key,
        body: {},
      });
      return `${account.status} ${account.text} ${answer.text}`;
    };
    const aside = run(
      external(name, {
        PARLEY_PORT: String(port),
        PARLEY_HOST: '::1',
        PARLEY_URL: 'https://news.example.com/',
        PARLEY_LOG_LEVEL: 'info',
        PARLEY_BOOTSTRAP_KEY: key,
      }),
    );
    await until(async () => (aside.out().includes('Parley is ready at') ? true : undefined), 50, 120_000);
    expect(aside.out()).toContain('Parley is ready at https://news.example.com\n');
    const logged = aside
      .out()
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    expect(logged.length).toBeGreaterThan(0);
    for (const line of logged)
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number), time: expect.any(String) });
    const url = `http://[::1]:${port}`;
    const ask = asker(url);
    expect((await ask('GET', '/readyz')).status).toBe(200);
    await expect(fetch(`http://127.0.0.1:${port}/readyz`)).rejects.toThrow();
    const at = { url, ask } as Running;
    expect(await tested(at)).toContain('private');
    aside.child.kill('SIGTERM');
    expect((await aside.ended).code).toBe(0);

    const open = await start(
      external(name, {
        PARLEY_URL: 'https://news.example.com',
        PARLEY_ALLOW_PRIVATE_NETWORKS: 'true',
        PARLEY_PORT: String(port),
      }),
    );
    const there = { ...open, ask: asker(`http://127.0.0.1:${port}`) };
    expect(await tested(there)).not.toContain('private');
  }, 240_000);
});
