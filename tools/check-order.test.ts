import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'parley-order-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function plant(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function check(): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, [join(import.meta.dirname, 'check-order.ts'), root], { encoding: 'utf8' });
}

it('ends with 0 on a tree in order, and with 1 once an upward import is planted in it', () => {
  plant('server/campaigns/index.ts', `import { send } from '../delivery/index.ts';\nexport const launch = send;\n`);
  plant('server/delivery/index.ts', `export const send = 1;\n`);
  expect(check()).toMatchObject({ status: 0, stderr: '' });

  plant('server/delivery/plan.ts', `import { launch } from '../campaigns/index.ts';\nexport const plan = launch;\n`);
  const { status, stderr } = check();
  expect(status).toBe(1);
  expect(stderr).toContain(
    'server/delivery/plan.ts:1  imports server/campaigns/index.ts: campaigns lies above delivery',
  );
});

it('takes the names of tables from the generated row types', () => {
  plant(
    'db/types.ts',
    `export interface ContactTable {\n  id: string;\n}\n\nexport interface Database {\n  contact: ContactTable;\n}\n`,
  );
  plant('server/audience/add.ts', 'export const sql = `insert into contact (id) values ($1)`;\n');
  const { status, stderr } = check();
  expect(status).toBe(1);
  expect(stderr).toContain('server/audience/add.ts:1  writes table contact');
});
