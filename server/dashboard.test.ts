import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveDashboard } from './dashboard.ts';

let app: FastifyInstance;
const folder = mkdtempSync(join(tmpdir(), 'parley-dashboard-'));
beforeAll(async () => {
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<title>Parley</title>');
  writeFileSync(join(folder, 'favicon.svg'), '<svg/>');
  writeFileSync(join(folder, 'assets', 'main-abc.js'), 'run()');
  app = fastify();
  app.setNotFoundHandler((_request, reply) => reply.code(404).send('not here'));
  app.get('/api/v1/topics', () => ({ data: [] }));
  await serveDashboard(app, folder);
});
afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});
const html = { accept: 'text/html,application/xhtml+xml' };

describe('the dashboard', () => {
  test('is the same page under every address of its own, asked for anew each time, and may load scripts from here only', async () => {
    for (const url of ['/', '/campaigns', '/campaigns/42?tab=people', '/settings/team']) {
      const page = await app.inject({ url, headers: html });
      expect([page.statusCode, page.body], url).toEqual([200, '<title>Parley</title>']);
      expect(page.headers['content-type']).toContain('text/html');
      expect(page.headers['cache-control']).toBe('no-cache');
      expect(page.headers['content-security-policy']).toMatch(/default-src 'none'; script-src 'self';/);
      expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    }
    expect((await app.inject({ method: 'HEAD', url: '/campaigns', headers: html })).statusCode).toBe(200);
  });

  test('keeps hashed files for ever and the others fresh', async () => {
    const script = await app.inject('/assets/main-abc.js');
    expect(script.body).toBe('run()');
    expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect((await app.inject('/favicon.svg')).headers['cache-control']).toBe('no-cache');
  });

  test('never stands in for a file, a route of the API or an answer to a program', async () => {
    const asked: [string, Record<string, string>][] = [
      ['/assets/main-old.js', html],
      ['/logo.png', html],
      ['/api/v1/nothing', html],
      ['/campaigns', { accept: 'application/json' }],
      ['/../package.json', html],
      ['/..%2fpackage.json', html],
    ];
    for (const [url, headers] of asked) expect((await app.inject({ url, headers })).statusCode, url).toBe(404);
    expect((await app.inject({ url: '/api/v1/topics', headers: html })).json()).toEqual({ data: [] });
  });

  test('that was not built leaves the API alone', async () => {
    const bare = fastify();
    await serveDashboard(bare, join(folder, 'nowhere'));
    expect((await bare.inject({ url: '/', headers: html })).statusCode).toBe(404);
    await bare.close();
  });
});
