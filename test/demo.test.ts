import { existsSync, readdirSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { until } from '../bench/rig.ts';
import { demo } from '../server/demo/demo.ts';
import { cleanUp, newFolder, run, stopAll } from './start.ts';

/** `npm run demo`, whole: a server on a folder of its own, driven from outside, and nothing left of it. */
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await stopAll();
}, 60_000);
afterAll(cleanUp);

const leftIn = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('parley-demo-'));

describe('the demo', () => {
  test('imports, sends, lets people react, finds that everything adds up, and leaves nothing behind', async () => {
    const folder = newFolder();
    vi.stubEnv('TMPDIR', folder);
    vi.stubEnv('PARLEY_PORT', '0');
    let out = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      out += String(chunk);
      return true;
    });
    const code = await demo(true);
    vi.restoreAllMocks();
    expect(code, out).toBe(0);
    expect(out).toContain('Everything adds up.');
    expect(out).not.toContain('  NO ');
    expect(out).toMatch(/^ +10,000 {2}rows read: 9661 created, 40 updated, 199 unchanged, 100 refused$/m);
    expect(out).toMatch(/^ +0 {2}duplicates$/m);
    expect(out).toMatch(/^ +0 {2}lost$/m);
    expect(out).toMatch(/^ +30 {2}unsubscribed$/m);
    expect(out).toMatch(/^ {2}\| Dear \S+/m);
    expect(leftIn(folder)).toEqual([]);
  }, 240_000);

  test('that is stopped half-way did not add up: it ends in order, with 1', async () => {
    const folder = newFolder();
    const started = run({ TMPDIR: folder }, ['demo', '--exit']);
    await until(async () => (started.out().includes('Importing 10,000 rows') ? true : undefined), 20, 120_000);
    const [data] = leftIn(folder);
    expect(existsSync(`${folder}/${data}/postgres/postmaster.pid`)).toBe(true);
    started.child.kill('SIGTERM');
    const { code, out } = await started.ended;
    expect(code).toBe(1);
    expect(out).not.toContain('Everything adds up.');
    expect(leftIn(folder)).toEqual([]);
  }, 240_000);
});
