import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix, relative, sep } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import type { ImportDeclaration, Node, Program, VisitorObject } from 'oxc-parser';

/** Something found at a place of a file. */
export interface Found {
  readonly what: string;
  readonly line: number;
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** `import type`, `export type … from`, `import('…')` in a type: gone at run time. */
  readonly typeOnly: boolean;
  /** What is taken from it by name. */
  readonly names: readonly string[];
  /** The imported file, relative to the root; undefined for packages. */
  readonly target: string | undefined;
}

/** What the rules need to know of one file. Paths are relative to the root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly imports: readonly Import[];
  /** Names of tables that the file's SQL or query builder inserts into, updates or deletes from. */
  readonly writes: readonly Found[];
  /** Reads of the clock, of randomness, of the environment; timers; network; output. */
  readonly impurities: readonly Found[];
}

const extensions = ['', '.ts', '.tsx', '/index.ts', '/index.tsx'];

/** Reads every TypeScript file below the given folders of `root`. */
export async function readSources(root: string, folders: readonly string[]): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const folder of folders) {
    if (!existsSync(join(root, folder))) continue;
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));
    for (const path of paths.toSorted()) {
      const name = relative(root, path).split(sep).join('/');
      files.push(readSource(name, await readFile(path, 'utf8'), (target) => resolveFile(root, target)));
    }
  }
  return files;
}

function resolveFile(root: string, target: string): string | undefined {
  return extensions
    .map((extension) => target + extension)
    .find((candidate) => /\.\w+$/.test(candidate) && existsSync(join(root, candidate)));
}

/** Parses one file; `resolve` says which file of the project a path stands for. */
export function readSource(path: string, text: string, resolve: (target: string) => string | undefined): SourceFile {
  const { program, errors } = parseSync(path, text);
  const failure = errors[0];
  if (failure !== undefined) throw new Error(`${path} cannot be parsed: ${failure.message}`);
  const lineOf = lineFinder(text);
  return {
    path,
    imports: importsOf(program).map(({ specifier, start, typeOnly, names }) => ({
      specifier,
      typeOnly,
      names,
      line: lineOf(start),
      target: specifier.startsWith('.') ? targetOf(path, specifier, resolve) : undefined,
    })),
    writes: tablesWritten(program).map(({ what, start }) => ({ what, line: lineOf(start) })),
    impurities: impuritiesOf(program).map(({ what, start }) => ({ what, line: lineOf(start) })),
  };
}

function targetOf(path: string, specifier: string, resolve: (target: string) => string | undefined): string {
  const target = posix.join(dirname(path), specifier);
  return resolve(target) ?? target;
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  return (offset) => starts.findLastIndex((start) => start <= offset) + 1;
}

interface Statement {
  readonly specifier: string;
  readonly start: number;
  readonly typeOnly: boolean;
  readonly names: readonly string[];
}

function importsOf(program: Program): Statement[] {
  const found: Statement[] = [];
  const add = (source: Node | null, start: number, typeOnly: boolean, names: readonly string[] = []) => {
    if (source?.type === 'Literal' && typeof source.value === 'string')
      found.push({ specifier: source.value, start, typeOnly, names });
  };
  new Visitor({
    // `import { type A }` without `type` before the braces still loads the file.
    ImportDeclaration: (node) => add(node.source, node.start, node.importKind === 'type', importedNames(node)),
    ExportNamedDeclaration: (node) => add(node.source, node.start, node.exportKind === 'type'),
    ExportAllDeclaration: (node) => add(node.source, node.start, node.exportKind === 'type'),
    ImportExpression: (node) => add(node.source, node.start, false),
    TSImportType: (node) => add(node.source, node.start, true),
  }).visit(program);
  return found;
}

function importedNames(node: ImportDeclaration): string[] {
  return node.specifiers.map((one) =>
    one.type === 'ImportSpecifier' && one.imported.type === 'Identifier' ? one.imported.name : '*',
  );
}

const writingSql = [
  /\binsert\s+into\s+(?:only\s+)?(?:public\.)?"?(\w+)/gi,
  /\bupdate\s+(?:only\s+)?(?:public\.)?"?(\w+)"?(?:\s+(?:as\s+)?\w+)?\s+set\b/gi,
  /\bdelete\s+from\s+(?:only\s+)?(?:public\.)?"?(\w+)/gi,
  /\bmerge\s+into\s+(?:only\s+)?(?:public\.)?"?(\w+)/gi,
  /\btruncate\s+(?:table\s+)?(?:public\.)?"?(\w+)/gi,
];
const writingCalls = new Set(['insertInto', 'updateTable', 'deleteFrom', 'mergeInto', 'replaceInto']);

function tablesWritten(program: Program): { what: string; start: number }[] {
  const found: { what: string; start: number }[] = [];
  const readSql = (text: string, start: number) => {
    for (const pattern of writingSql)
      for (const match of text.matchAll(pattern)) found.push({ what: match[1] ?? '', start });
  };
  new Visitor({
    Literal: (node) => {
      if (typeof node.value === 'string') readSql(node.value, node.start);
    },
    TemplateLiteral: (node) => readSql(node.quasis.map((part) => part.value.cooked ?? '').join(' $ '), node.start),
    CallExpression: (node) => {
      const [table] = node.arguments;
      const called =
        node.callee.type === 'MemberExpression' && node.callee.property.type === 'Identifier'
          ? node.callee.property.name
          : '';
      if (writingCalls.has(called) && table?.type === 'Literal' && typeof table.value === 'string')
        found.push({ what: table.value.split(' ')[0] ?? '', start: node.start });
    },
  }).visit(program);
  return found;
}

/** `object.property`, or `object.*` for all of them. */
const impureMembers = new Set([
  'Date.now',
  'Temporal.Now',
  'Math.random',
  'performance.now',
  'process.*',
  'console.*',
  'crypto.randomUUID',
  'crypto.getRandomValues',
]);
const impureCalls = new Set(['Date', 'fetch', 'setTimeout', 'setInterval', 'setImmediate']);

function impuritiesOf(program: Program): { what: string; start: number }[] {
  const found: { what: string; start: number }[] = [];
  const visitor: VisitorObject = {
    MemberExpression: (node) => {
      if (node.object.type !== 'Identifier' || node.property.type !== 'Identifier') return;
      const what = `${node.object.name}.${node.property.name}`;
      if (impureMembers.has(what) || impureMembers.has(`${node.object.name}.*`))
        found.push({ what, start: node.start });
    },
    CallExpression: (node) => {
      if (node.callee.type === 'Identifier' && impureCalls.has(node.callee.name))
        found.push({ what: `${node.callee.name}()`, start: node.start });
    },
    NewExpression: (node) => {
      const isNow = node.callee.type === 'Identifier' && node.callee.name === 'Date' && node.arguments.length === 0;
      if (isNow) found.push({ what: 'new Date()', start: node.start });
    },
  };
  new Visitor(visitor).visit(program);
  return found;
}
