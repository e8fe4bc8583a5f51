import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** A browser found on this machine, and what it needs in its environment. */
interface Candidate {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

const cache = join(import.meta.dirname, '..', '..', '.cache');

/**
 * What a browser under test does without: the sandbox (CI runs as root), the GPU, and every conversation of its own
 * with the internet, which a closed network refuses many times a second.
 */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
];

/**
 * Starts a real Chromium on any machine: the one from npm (it brings its own libraries and fonts, so a bare Debian
 * without a single desktop package will do), else one that the machine has.
 */
export async function launchChromium(): Promise<Browser> {
  const { path, env } = await findChromium();
  return chromium.launch({ executablePath: path, args: flags, env: { ...process.env, ...env }, headless: true });
}

async function findChromium(): Promise<Candidate> {
  const tried: string[] = [];
  for await (const candidate of candidates()) {
    const { status, stderr, error } = spawnSync(candidate.path, ['--no-sandbox', '--version'], {
      env: { ...process.env, ...candidate.env },
      encoding: 'utf8',
    });
    if (status === 0) return candidate;
    tried.push(`${candidate.path}: ${error?.message ?? stderr.trim().split('\n')[0] ?? `exit code ${status}`}`);
  }
  throw new Error(
    `No Chromium runs on this machine. Install one (Debian: apt-get install chromium). Tried:\n${tried.join('\n')}`,
  );
}

/** Tried in this order: the machine's libraries are the better match where they exist. */
async function* candidates(): AsyncGenerator<Candidate> {
  // The package has a binary for Linux on x64 only.
  if (process.platform === 'linux' && process.arch === 'x64') {
    const folder = await unpacked();
    const env = { FONTCONFIG_PATH: join(folder, 'fonts') };
    yield { path: join(folder, 'chromium'), env };
    yield { path: join(folder, 'chromium'), env: { ...env, LD_LIBRARY_PATH: join(folder, 'al2023', 'lib') } };
  }
  for (const path of [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ]) {
    if (existsSync(path)) yield { path, env: {} };
  }
}

/** Unpacks the browser (200 MB) once per version, aside and then into place, so that a killed run leaves nothing half done. */
async function unpacked(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const home = join(dirname(entry), '..');
  const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
  const folder = join(cache, `chromium-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const partial = await mkdtemp(join(cache, 'chromium-partial-'));
  await unpackInto(partial, join(home, 'bin'));
  await writeFile(join(partial, 'fonts', 'fonts.conf'), fontSettings(join(folder, 'fonts')));
  // Another run may have been quicker.
  await rename(partial, folder).catch(() => rm(partial, { recursive: true, force: true }));
  return folder;
}

/** The package unpacks into the folder for temporary files, where anybody could put a `chromium` before us. */
async function unpackInto(folder: string, archives: string): Promise<void> {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  try {
    const { inflate } = await import('@sparticuz/chromium');
    for (const name of ['chromium.br', 'fonts.tar.br', 'swiftshader.tar.br', 'al2023.tar.br'])
      await inflate(join(archives, name));
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
}

/** The same fonts on every machine, so that the same page looks the same. */
function fontSettings(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}</dir>
  <cachedir>${folder}-cache</cachedir>
</fontconfig>
`;
}
