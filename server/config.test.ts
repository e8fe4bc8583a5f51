import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from './config.ts';

const problemsOf = (environment: Record<string, string>) => {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('settings', () => {
  test('an empty environment gives a local install with an embedded database', () => {
    expect(readConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      dataDir: './.parley',
      role: 'all',
      allowPrivateNetworks: true,
    });
  });

  test('every problem is reported at once, each naming its setting', () => {
    const problems = problemsOf({
      PARLEY_PORT: 'http',
      PARLEY_ROLE: 'boss',
      PARLEY_PROT: '1',
      PARLEY_BOOTSTRAP_KEY: 'short',
      PARLEY_TRUSTED_PROXIES: '10.0.0.0/99',
    });
    for (const name of ['PARLEY_PORT', 'PARLEY_ROLE', 'PARLEY_PROT', 'PARLEY_BOOTSTRAP_KEY', 'PARLEY_TRUSTED_PROXIES'])
      expect(problems.some((problem) => problem.startsWith(name))).toBe(true);
  });

  test.each(['abc', '-1', '3000.5', '65536', '0x10', '1e3', ' 80', '9'.repeat(400), 'NaN'])(
    'a port of "%s" is told what is wanted',
    (port) => {
      const shown = port.slice(0, 40);
      const said = `PARLEY_PORT: must be a whole number from 0 to 65535, but is "${shown}"`;
      expect(problemsOf({ PARLEY_PORT: port })).toEqual([said]);
    },
  );

  test('a limit in megabytes says its bounds, and numbers within are taken', () => {
    for (const limit of ['0', '10241', 'much'])
      expect(problemsOf({ PARLEY_IMPORT_MAX_MB: limit })).toEqual([
        `PARLEY_IMPORT_MAX_MB: must be a whole number from 1 to 10240, but is "${limit}"`,
      ]);
    expect(readConfig({ PARLEY_IMPORT_MAX_MB: '2', PARLEY_PORT: '0' })).toMatchObject({
      importMaxBytes: 2 * 1024 * 1024,
      port: 0,
    });
  });

  test('a database of your own needs a master key', () => {
    expect(problemsOf({ DATABASE_URL: 'postgres://parley@db/parley' })).toContain(
      'PARLEY_MASTER_KEY: required with DATABASE_URL',
    );
  });

  test('a master key that is not 32 bytes is refused', () => {
    expect(problemsOf({ PARLEY_MASTER_KEY: 'c2hvcnQ=' })).toContain('PARLEY_MASTER_KEY: must be 32 bytes in base64');
  });

  test('a public origin closes private networks unless the operator opens them', () => {
    expect(readConfig({ PARLEY_URL: 'https://news.example.com' }).allowPrivateNetworks).toBe(false);
    expect(
      readConfig({ PARLEY_URL: 'https://news.example.com', PARLEY_ALLOW_PRIVATE_NETWORKS: 'true' })
        .allowPrivateNetworks,
    ).toBe(true);
  });

  test('half a first owner is refused', () => {
    expect(problemsOf({ PARLEY_ADMIN_EMAIL: 'a@example.com' })).toHaveLength(1);
  });
});
