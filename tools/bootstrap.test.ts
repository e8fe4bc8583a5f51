import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isBuilt, isInstalled, locked } from './bootstrap.mjs';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'parley-bootstrap-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function plant(path: string, content: string, mode?: number): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
  if (mode !== undefined) chmodSync(join(root, path), mode);
}

const lockOf = (packages: object) => JSON.stringify({ lockfileVersion: 3, packages: { '': {}, ...packages } });

/**
 * A project whose only dependency is the pinned Node, and an npm that installs it: it writes what the real one leaves
 * behind, and one line per call.
 */
function plantProject(version: string, install = 'exit 0'): void {
  plant('package-lock.json', lockOf({ 'node_modules/node': { version } }));
  plant(
    'bin/npm',
    `#!/bin/sh
if [ "$1" = --version ]; then echo 11.0.0; exit 0; fi
echo "$1" >> "${root}/calls"
${install === 'exit 0' ? '' : `${install}\n`}sleep 0.3
rm -rf node_modules
mkdir -p node_modules/node/bin
printf '#!/bin/sh\\nexec "${process.execPath}" "$@"\\n' > node_modules/node/bin/node
chmod +x node_modules/node/bin/node
cp package-lock.json node_modules/.package-lock.json
`,
    0o755,
  );
}

/** What an installation leaves behind of the pinned Node. */
function plantNode(): void {
  plant('node_modules/node/bin/node', '');
  plant('node_modules/.bin/node', '');
}

const calls = () =>
  existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8').trim().split('\n') : [];

/** Runs the bootstrap on the planted project in a process of its own, with the planted npm. */
async function start(web = false): Promise<{ code: unknown; stderr: string }> {
  const script = `
    import { bootstrap } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'bootstrap.mjs')).href)};
    await bootstrap(${JSON.stringify(root)}, { web: ${web} }).catch((error) => { console.error(error.message); process.exitCode = 1; });`;
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: `${join(root, 'bin')}:/usr/bin:/bin` };
  delete env['npm_execpath'];
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { code, stderr };
}

describe('installation', () => {
  it('happens on a fresh clone, not again, and again when the lock file changed', async () => {
    plantProject('26.0.0');
    expect(isInstalled(root)).toBe(false);
    expect(await start()).toMatchObject({ code: 0 });
    expect(isInstalled(root)).toBe(true);
    expect(await start()).toMatchObject({ code: 0, stderr: '' });
    expect(calls()).toEqual(['ci']);

    plantProject('26.1.0');
    expect(isInstalled(root)).toBe(false);
    expect(await start()).toMatchObject({ code: 0 });
    expect(calls()).toEqual(['ci', 'ci']);
  });

  it('is done once when two start at the same time', async () => {
    plantProject('26.0.0');
    const [one, other] = await Promise.all([start(), start()]);
    expect([one?.code, other?.code]).toEqual([0, 0]);
    expect(calls()).toEqual(['ci']);
    expect(`${one?.stderr}${other?.stderr}`).toContain('waiting for it');
  });

  it('counts what npm itself installed, other platforms left out, as installed', () => {
    plantNode();
    const packages = { 'node_modules/node': { version: '26.0.0' } };
    plant('package-lock.json', lockOf({ ...packages, 'node_modules/elsewhere': { version: '1.0.0', optional: true } }));
    plant('node_modules/.package-lock.json', lockOf(packages));
    expect(isInstalled(root)).toBe(true);
  });

  it('does not count another version, a missing package or one too many', () => {
    plantNode();
    const found = (packages: object) => {
      plant('node_modules/.package-lock.json', lockOf(packages));
      return isInstalled(root);
    };
    plant('package-lock.json', lockOf({ 'node_modules/a': { version: '1.0.0' } }));
    expect(found({ 'node_modules/a': { version: '1.0.1' } })).toBe(false);
    expect(found({})).toBe(false);
    expect(found({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } })).toBe(false);
    expect(found({ 'node_modules/a': { version: '1.0.0' } })).toBe(true);
  });

  it('says so and ends with 1 when npm fails, and tries again the next time', async () => {
    plantProject('26.0.0', 'exit 7');
    const { code, stderr } = await start();
    expect(code).toBe(1);
    expect(stderr).toContain('npm ci failed (exit code 7)');
    expect(isInstalled(root)).toBe(false);
    expect(existsSync(join(root, '.cache', 'bootstrap.lock'))).toBe(false);
    await start();
    expect(calls()).toEqual(['ci', 'ci']);
  });

  it('names an npm that is too old', async () => {
    plantProject('26.0.0');
    plant('bin/npm', '#!/bin/sh\necho 6.14.0\n', 0o755);
    const { code, stderr } = await start();
    expect(code).toBe(1);
    expect(stderr).toContain('npm 6.14.0 is too old');
  });
});

describe('the dashboard', () => {
  /** A build tool that writes what it was asked to, and counts. */
  const vite = `
    import fs from 'node:fs';
    const out = process.argv[process.argv.indexOf('--outDir') + 1];
    fs.appendFileSync(${'`${process.cwd()}/builds`'}, 'x');
    if (fs.readFileSync('web/main.tsx', 'utf8').includes('broken')) process.exit(1);
    fs.mkdirSync(out, { recursive: true });
    fs.copyFileSync('web/main.tsx', out + '/index.html');`;
  const builds = () => readFileSync(join(root, 'builds'), 'utf8').length;

  beforeEach(() => {
    plantProject('26.0.0');
    plant('package.json', '{"type":"module"}');
    plant(
      'bin/npm',
      `${readFileSync(join(root, 'bin/npm'), 'utf8')}mkdir -p node_modules/vite/bin\ncp vite.mjs node_modules/vite/bin/vite.js\ncp package.json node_modules/vite/\n`,
    );
    plant('vite.mjs', vite);
    plant('web/index.html', '<script src="main.tsx">');
    plant('web/main.tsx', 'first');
    plant('contract/a.ts', 'a');
  });

  it('is built at the first start and when its sources or the contract changed, not when a test did', async () => {
    expect(isBuilt(root)).toBe(false);
    await start(true);
    await start(true);
    plant('web/main.test.ts', 'a test');
    await start(true);
    expect(builds()).toBe(1);
    expect(readFileSync(join(root, 'dist/web/index.html'), 'utf8')).toBe('first');
    plant('contract/a.ts', 'b');
    plant('web/main.tsx', 'second');
    await start(true);
    expect(builds()).toBe(2);
    expect(readFileSync(join(root, 'dist/web/index.html'), 'utf8')).toBe('second');
  });

  it('keeps the last good build when a new one fails', async () => {
    await start(true);
    plant('web/main.tsx', 'broken');
    const { code, stderr } = await start(true);
    expect(code).toBe(1);
    expect(stderr).toContain('could not be built');
    expect(readFileSync(join(root, 'dist/web/index.html'), 'utf8')).toBe('first');
    expect(isBuilt(root)).toBe(false);
  });
});

describe('the lock', () => {
  it('left by a process that is gone does not hold anybody up', async () => {
    const gone = spawn(process.execPath, ['-e', '']);
    await once(gone, 'exit');
    plant('lock', String(gone.pid));
    expect(
      await locked(
        join(root, 'lock'),
        () => undefined,
        () => 'done',
      ),
    ).toBe('done');
    expect(existsSync(join(root, 'lock'))).toBe(false);
  });

  it('is released when the work throws', async () => {
    const work = () => {
      throw new Error('no');
    };
    await expect(locked(join(root, 'lock'), () => undefined, work)).rejects.toThrow('no');
    expect(existsSync(join(root, 'lock'))).toBe(false);
  });
});
