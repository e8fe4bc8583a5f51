/**
 * `npm run check`: everything that can be said of the sources without running them. All checks run, also after one has
 * failed, so that one run tells all; the exit code is 1 when any failed.
 *
 *   npm run check                 all of them
 *   npm run check -- lint order   only those named
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

interface Check {
  readonly name: string;
  readonly what: string;
  readonly command: readonly [program: string, ...args: string[]];
}

const root = join(import.meta.dirname, '..');
const installed = (path: string) => join('node_modules', path);

/** Quick ones first. */
const checks: readonly Check[] = [
  {
    name: 'types',
    what: 'types of server, contract, tools and tests',
    command: [installed('typescript/bin/tsc'), '-p', '.'],
  },
  { name: 'web-types', what: 'types of the dashboard', command: [installed('typescript/bin/tsc'), '-p', 'web'] },
  { name: 'order', what: 'order of the slices, purity of rules, import cycles', command: ['tools/check-order.ts'] },
  { name: 'lint', what: 'lint, with types', command: [installed('oxlint/bin/oxlint'), '--type-aware'] },
  {
    name: 'format',
    what: 'format',
    command: [installed('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.'],
  },
  {
    name: 'unused',
    what: 'unused files, exports and dependencies',
    command: [installed('knip/bin/knip.js'), '--no-progress'],
  },
  { name: 'schema', what: 'db/schema.sql is up to date', command: ['tools/schema-dump.ts', '--check'] },
  { name: 'db-types', what: 'db/types.ts is up to date', command: ['tools/db-types.ts', '--check'] },
];

function passes(check: Check): boolean {
  const started = performance.now();
  const result = spawnSync(process.execPath, check.command, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const passed = result.status === 0;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${passed ? 'ok  ' : 'FAIL'}  ${check.name.padEnd(9)}  ${check.what} (${seconds} s)`);
  if (!passed)
    console.log(`${result.stdout}${result.stderr}${result.error?.message ?? ''}`.trimEnd().replaceAll(/^/gm, '      '));
  return passed;
}

const named = process.argv.slice(2);
const unknown = named.filter((name) => !checks.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(
    `No check is called ${unknown.join(', ')}. There are: ${checks.map((check) => check.name).join(', ')}.`,
  );
  process.exit(2);
}
const chosen = checks.filter((check) => named.length === 0 || named.includes(check.name));
const results = chosen.map(passes);
const passed = results.filter(Boolean).length;
console.log(`${passed} passed, ${results.length - passed} failed`);
if (passed < results.length) process.exitCode = 1;
