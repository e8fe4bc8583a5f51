import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { endpoints } from '../../contract/index.ts';
import { createMetrics } from '../platform/metrics.ts';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { systemRoutes } from './index.ts';
import type { Check } from './index.ts';

let db: TestDb;
beforeAll(async () => {
  db = await createTestDb();
});
afterAll(() => db.close());

let app: FastifyInstance;
const metrics = createMetrics();
const open = async (checks: readonly Check[] = [], isReady = () => Promise.resolve(true)) => {
  app = await createTestApp(
    db,
    systemRoutes({ version: '1.2.3', startedAt: db.clock.now(), clock: db.clock, metrics, checks, isReady }),
  );
};
afterEach(() => app.close());
const get = (url: string, authorization?: string) =>
  app.inject({ url, headers: authorization === undefined ? {} : { authorization } });

const fine: Check = { name: 'database', run: () => Promise.resolve('answers in 1 ms') };

describe('the health of the parts', () => {
  test('is told with the version and how long it has run', async () => {
    await open([fine]);
    db.clock.advance(90_500);
    const answer = await get('/api/v1/health/system', 'test');
    expect(answer.json()).toEqual({
      ok: true,
      version: '1.2.3',
      uptimeSeconds: 90,
      parts: [{ name: 'database', ok: true, detail: 'answers in 1 ms' }],
    });
  });

  test('names the part that does not work with its words, and the others are still asked', async () => {
    await open([{ name: 'sandbox', run: () => Promise.reject(new Error('does not listen')) }, fine]);
    const answer = await get('/api/v1/health/system', 'test');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      ok: false,
      parts: [
        { name: 'sandbox', ok: false, detail: 'does not listen' },
        { name: 'database', ok: true },
      ],
    });
  });

  test('does not wait longer than three seconds for a part that hangs', async () => {
    let asked = false;
    const hangs = () => {
      asked = true;
      return new Promise<string>(() => undefined);
    };
    await open([{ name: 'database', run: hangs }, fine]);
    const waiting = get('/api/v1/health/system', 'test');
    let answered = false;
    void waiting.then(() => (answered = true));
    while (!asked) await new Promise((resolve) => setTimeout(resolve, 2));
    db.clock.advance(2_999);
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    db.clock.advance(1);
    expect((await waiting).json()).toMatchObject({
      ok: false,
      parts: [
        { name: 'database', ok: false, detail: 'no answer in time' },
        { name: 'database', ok: true },
      ],
    });
    expect(db.clock.sleepers()).toBe(0);
  });

  test('is not for everybody', async () => {
    await open([fine]);
    expect((await get('/api/v1/health/system')).statusCode).toBe(401);
    expect((await get('/api/v1/health/system', 'test contacts:read')).statusCode).toBe(403);
  });
});

describe('what a supervisor asks', () => {
  test('/livez answers as long as the process does; /readyz says when it can serve, and else 503 to ask again', async () => {
    let ready = false;
    await open([], () => Promise.resolve(ready));
    expect((await get('/livez')).json()).toEqual({ ok: true });
    const early = await get('/readyz');
    expect(early.statusCode).toBe(503);
    expect(early.headers['retry-after']).toBe('1');
    expect(early.json()).toMatchObject({ code: 'not-ready', status: 503 });
    ready = true;
    expect([(await get('/readyz')).statusCode, (await get('/readyz')).json()]).toEqual([200, { ok: true }]);
  });

  test('/metrics tells what happened, for Prometheus, to who may read the settings', async () => {
    await open();
    expect((await get('/metrics')).statusCode).toBe(401);
    expect((await get('/metrics', 'test contacts:read')).statusCode).toBe(403);
    metrics.messages('email', 'accepted', 3);
    metrics.request('/api/v1/contacts', 'GET', 200, 0.2);
    metrics.gauge('event_lag_seconds', 'How long the oldest unread event has waited', () => Promise.resolve(7));
    const answer = await get('/metrics', 'test settings:read');
    expect(answer.headers['content-type']).toContain('text/plain');
    expect(answer.body).toContain('parley_messages_total{channel="email",outcome="accepted"} 3');
    expect(answer.body).toContain('parley_event_lag_seconds 7');
    expect(answer.body).toContain(
      'parley_http_request_seconds_bucket{le="0.5",route="/api/v1/contacts",method="GET",status="200"} 1',
    );
    expect(answer.body).toContain(
      'parley_http_request_seconds_bucket{le="0.1",route="/api/v1/contacts",method="GET",status="200"} 0',
    );
  });
});

describe('the reference', () => {
  test('as a document and as a page names every route, and the page can do nothing but be read', async () => {
    await open();
    const document = await get('/api/v1/openapi.json');
    const paths = Object.keys(document.json<{ paths: object }>().paths);
    const page = await get('/docs');
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.body).not.toContain('<script');
    expect(paths.length).toBeGreaterThan(50);
    for (const path of paths) expect(page.body).toContain(path.replaceAll('&', '&amp;'));
    for (const { summary } of endpoints) {
      const words = summary.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
      expect(page.body).toContain(words.replaceAll('"', '&quot;'));
    }
  });
});
