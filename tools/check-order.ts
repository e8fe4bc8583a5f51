/**
 * Checks the order of the house (ARCHITECTURE.md, "Import rules"): who may import whom, front doors, providers,
 * purity of rules, one writer per table, the clock, import cycles.
 *
 *   node tools/check-order.ts [root]    exit code 1 when a rule is broken
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { slices } from '../server/order.ts';
import { findProblems } from './order/rules.ts';
import { readSources } from './order/source.ts';

const folders = ['contract', 'server', 'web', 'bench', 'test', 'tools', 'db'];

/** The tables are the keys of the generated `Database` interface. */
async function readTables(root: string): Promise<Set<string>> {
  const types = await readFile(join(root, 'db', 'types.ts'), 'utf8').catch(() => '');
  const body = /export interface Database \{\n([^}]*)\}/.exec(types)?.[1] ?? '';
  return new Set([...body.matchAll(/^\s*(\w+):/gm)].map((match) => match[1] ?? ''));
}

const root = process.argv[2] ?? join(import.meta.dirname, '..');
const files = await readSources(root, folders);
const problems = findProblems({ files, slices, tables: await readTables(root) });
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
console.log(`${files.length} files, ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`);
