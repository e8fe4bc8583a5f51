import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { until } from '../bench/rig.ts';
import { permissions } from '../contract/permissions.ts';
import { settingNames } from '../server/config.ts';
import { cleanUp, key, main, masterKey, newFolder, refusal, run, start, stopAll } from './start.ts';
import type { Environment } from './start.ts';
import { ownerEmail, ownerPassword } from './world.ts';

/** The start-up contract: what each setting does, to a server started as anybody starts it; what is refused, and how. */
afterEach(stopAll, 60_000);
afterAll(cleanUp);

describe('what cannot be used', () => {
  test('is refused at once, all of it named, and nothing is made', async () => {
    const dataDir = join(newFolder(), 'data');
    const bad: Environment = {
      PARLEY_DATA_DIR: dataDir,
      PARLEY_PORT: '70000',
      PARLEY_URL: 'news.example.com',
      PARLEY_TRUSTED_PROXIES: '10.0.0.0/8, not-a-network',
      PARLEY_MASTER_KEY: 'c2hvcnQ=',
      PARLEY_ADMIN_EMAIL: 'nobody',
      PARLEY_ADMIN_PASSWORD: 'short',
      PARLEY_BOOTSTRAP_KEY: 'with spaces in it, which no header takes',
      PARLEY_ROLE: 'boss',
      PARLEY_ALLOW_PRIVATE_NETWORKS: 'perhaps',
      PARLEY_IMPORT_MAX_MB: '0',
      PARLEY_LOG_LEVEL: 'loud',
      PARLEY_COLOUR: 'red',
      PARLEY_MIGRATE_URL: 'mysql://db/parley',
    };
    const told = await refusal(bad);
    for (const name of Object.keys(bad).filter((one) => one !== 'PARLEY_DATA_DIR')) expect(told).toContain(`- ${name}`);
    expect(existsSync(dataDir)).toBe(false);
  });

  test.each([
    ['PARLEY_MASTER_KEY: required with DATABASE_URL', { DATABASE_URL: 'postgres://a@127.0.0.1:1/b' }],
    ['PARLEY_MIGRATE_URL: makes sense only with DATABASE_URL', { PARLEY_MIGRATE_URL: 'postgres://a@127.0.0.1:1/b' }],
    ['PARLEY_ADMIN_EMAIL and PARLEY_ADMIN_PASSWORD: set both or neither', { PARLEY_ADMIN_EMAIL: 'a@example.com' }],
    ['PARLEY_URL: must be an origin without a path', { PARLEY_URL: 'https://example.com/news' }],
    ['PARLEY_URL: must be an origin without a path', { PARLEY_URL: 'https://me:secret@example.com' }],
    ['PARLEY_MASTER_KEY: must be 32 bytes', { PARLEY_MASTER_KEY: `${'!'.repeat(20)}${masterKey}` }],
    [
      'PARLEY_BOOTSTRAP_KEY: must not look like a JWT',
      { PARLEY_BOOTSTRAP_KEY: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdef' },
    ],
    [
      'cannot be reached as nobody_here',
      { DATABASE_URL: 'postgres://nobody_here:secret@127.0.0.1:1/none', PARLEY_MASTER_KEY: masterKey },
    ],
    ['PARLEY_DATA_DIR', { PARLEY_DATA_DIR: join(main, 'inside-a-file') }],
  ] as [string, Environment][])('%s', async (words, environment) => {
    const told = await refusal(environment);
    expect(told).toContain(words);
    expect(told).not.toContain('secret');
  });

  test('is said by the command line with exit code 2, and help tells every setting', async () => {
    expect((await run({}, ['fly']).ended).code).toBe(2);
    expect((await run({}, ['start', '--fast']).ended).code).toBe(2);
    const help = await run({}, ['start', '--help']).ended;
    expect(help.code).toBe(0);
    for (const name of settingNames) expect(help.out).toContain(name);
  });
});

describe('an install of its own', () => {
  const dataDir = newFolder();
  const environment = { PARLEY_DATA_DIR: dataDir };

  test('prints one line when it is ready, lets the first owner and the key in, and ends in order', async () => {
    const server = await start(environment);
    expect(server.out().trim().split('\n')).toEqual([`Parley is ready at ${server.url}`]);
    expect(new URL(server.url).hostname).toBe('127.0.0.1');
    expect((await server.ask('GET', '/readyz')).json).toEqual({ ok: true });
    const me = (await server.api('GET', '/me')).json;
    expect(me).toMatchObject({ kind: 'key', permissions: [...permissions] });
    const signedIn = await server.ask('POST', '/api/v1/auth/sign-in', {
      body: { email: ownerEmail, password: ownerPassword },
    });
    expect(signedIn.json).toEqual({ twoFactorRequired: false });
    expect((await server.ask('GET', '/api/v1/auth/setup')).json).toEqual({ needed: false });
    expect(statSync(join(dataDir, 'master.key')).mode & 0o777).toBe(0o600);
    expect((await server.api('POST', '/topics', { key: 'news', name: 'News' })).status).toBe(201);

    // Whoever listens for news or has not finished asking does not hold it up.
    const stream = await fetch(`${server.url}/api/v1/events/stream`, { headers: { authorization: `Bearer ${key}` } });
    const idle = connect(Number(new URL(server.url).port), '127.0.0.1', () =>
      idle.write('POST /api/v1/topics HTTP/1.1\r\nhost: x\r\n'),
    );
    idle.on('error', () => undefined);
    expect(stream.status).toBe(200);
    expect(await server.stop()).toBe(0);
    await stream.text().catch(() => undefined);
    expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
  }, 240_000);

  test('is found again as it was: other first owners and keys change nothing then', async () => {
    const other = 'parley_other_key_0123456789_abcdefghijk';
    const server = await start({
      ...environment,
      PARLEY_BOOTSTRAP_KEY: other,
      PARLEY_ADMIN_EMAIL: 'second@example.com',
      PARLEY_ADMIN_PASSWORD: 'another horse battery staple',
    });
    expect((await server.api('GET', '/topics')).json).toMatchObject({ data: [{ key: 'news' }] });
    expect((await server.ask('GET', '/api/v1/topics', { key: other })).status).toBe(401);
    const second = { email: 'second@example.com', password: 'another horse battery staple' };
    expect((await server.ask('POST', '/api/v1/auth/sign-in', { body: second })).status).toBe(401);

    const told = await refusal(environment);
    expect(told).toMatch(/Another Parley .* is running on .*PARLEY_DATA_DIR/);
    expect((await server.ask('GET', '/readyz')).status).toBe(200);
  }, 240_000);

  test('with another master key is refused, and the key that is there is never replaced', async () => {
    const file = join(dataDir, 'master.key');
    const own = readFileSync(file, 'utf8');
    expect(await refusal({ ...environment, PARLEY_MASTER_KEY: masterKey })).toContain('PARLEY_MASTER_KEY');
    writeFileSync(file, 'half a ke');
    expect(await refusal(environment)).toMatch(/PARLEY_DATA_DIR: .*master\.key/);
    expect(readFileSync(file, 'utf8')).toBe('half a ke');
    writeFileSync(file, own);
    const server = await start(environment);
    expect((await server.api('GET', '/topics')).status).toBe(200);
  }, 240_000);

  test('that was killed is taken over by the next start', async () => {
    const killed = await start(environment);
    killed.child.kill('SIGKILL');
    await killed.ended;
    const server = await start(environment);
    expect((await server.api('GET', '/topics')).json).toMatchObject({ data: [{ key: 'news' }] });
  }, 240_000);

  test('that is asked to end while it still starts does so in order', async () => {
    const fresh = newFolder();
    const started = run({ PARLEY_DATA_DIR: fresh });
    await until(async () => (existsSync(join(fresh, 'postgres', 'postmaster.pid')) ? true : undefined), 20, 60_000);
    started.child.kill('SIGTERM');
    expect((await started.ended).code).toBe(0);
    expect(existsSync(join(fresh, 'postgres', 'postmaster.pid'))).toBe(false);
  }, 120_000);

  test('without a first owner waits for one on its page', async () => {
    const server = await start({
      PARLEY_DATA_DIR: newFolder(),
      PARLEY_ADMIN_EMAIL: '',
      PARLEY_ADMIN_PASSWORD: '',
      PARLEY_BOOTSTRAP_KEY: '',
    });
    expect((await server.ask('GET', '/api/v1/auth/setup')).json).toEqual({ needed: true });
    expect((await server.api('GET', '/topics')).status).toBe(401);
  }, 240_000);
});
