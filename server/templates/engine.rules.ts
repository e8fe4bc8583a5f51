import { AssignTag, Liquid, Tag, toValueSync, UndefinedVariableError, Value } from 'liquidjs';
import type { Context, LiquidError, TagToken, TopLevelToken } from 'liquidjs';
import { authorFilters, markupFilters, plainFilters, plainText, renderFilters } from './filters.rules.ts';

/** Far above what a mail needs, far below what would be felt by the messages behind it. */
export const limits = {
  /** Pieces of Liquid in one part: parsing is quadratic in them. */
  pieces: 3_000,
  sourceChars: 1_500_000,
  renderMs: 250,
  memory: 3_000_000,
  outputChars: 2_000_000,
} as const;

/** The stock `assign` is lenient, so a missing variable would slip through it as nothing. */
class StrictAssignTag extends AssignTag {
  private readonly given: Value | undefined;
  private readonly target: string;

  constructor(token: TagToken, remaining: TopLevelToken[], liquid: Liquid) {
    super(token, remaining, liquid);
    this.given = [...this.arguments()].find((one) => one instanceof Value);
    this.target = [...this.localScope()][0]?.content ?? '';
  }

  override *render(context: Context): Generator<unknown, void, unknown> {
    const scope: Record<string, unknown> = context.bottom();
    scope[this.target] = yield this.given?.value(context, false);
  }
}

function refusedTag(why: string) {
  class RefusedTag extends Tag {
    constructor(token: TagToken, remaining: TopLevelToken[], liquid: Liquid) {
      super(token, remaining, liquid);
      throw new Error(why);
    }
    override render(): void {
      throw new Error(why);
    }
  }
  return RefusedTag;
}

function createEngine(kind: 'author' | 'markup' | 'plain'): Liquid {
  const engine = new Liquid({
    strictFilters: true,
    strictVariables: true,
    lenientIf: true,
    ownPropertyOnly: true,
    parseLimit: limits.sourceChars,
    renderLimit: limits.renderMs,
    memoryLimit: limits.memory,
    // No file is ever read: the tags that would are refused, and look-ups go to this empty mapping.
    templates: {},
    ...(kind === 'markup' ? { outputEscape: escapeMarkup } : {}),
  });
  for (const tag of ['include', 'render', 'layout', 'block'])
    engine.registerTag(tag, refusedTag(`"${tag}" reads other files, which a template cannot`));
  engine.registerTag('echo', refusedTag('write {{ … }} instead of "echo"'));
  engine.registerTag('assign', StrictAssignTag);
  const sets = {
    author: [authorFilters],
    markup: [renderFilters, markupFilters],
    plain: [renderFilters, plainFilters],
  };
  for (const set of [authorFilters, ...sets[kind]])
    for (const [name, filter] of Object.entries(set)) engine.registerFilter(name, filter);
  return engine;
}

const unsafe = /[&<>"'\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

/** Holds a value inside text and quoted attributes; control characters, which no mail may carry, are dropped. */
export function escapeText(value: string): string {
  if (!unsafe.test(value)) return value;
  return value
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '')
    .replace(/[&<>"']/g, (one) => entities[one] ?? '');
}

function escapeMarkup(value: unknown): string {
  return escapeText(plainText(value));
}

/** Parses what authors write: none of the filters that only the compiler may put in. */
export const authorEngine = createEngine('author');
export const markupEngine = createEngine('markup');
export const plainEngine = createEngine('plain');

/** What Liquid said, without its own way of giving the place. */
export interface LiquidFault {
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

export const tooSlow = `rendering takes longer than ${limits.renderMs} ms (an endless loop?)`;
export const tooLong = 'the result is longer than 2,000,000 characters';
const tooDeep = 'blocks are nested too deeply, or the result is too long';
const tooMuch = 'a loop, range or filter makes too much (memory limit)';
const limitWords = [
  ['template render limit', tooSlow],
  ['memory alloc limit', tooMuch],
  ['parse length limit', 'is too long'],
] as const;
export const limitMessages: ReadonlySet<string> = new Set([tooSlow, tooLong, tooDeep, tooMuch]);

function isLiquidError(error: unknown): error is LiquidError & { token?: { getPosition(): number[] } } {
  return error instanceof Error && 'token' in error;
}

export function faultOf(error: unknown): LiquidFault {
  if (!(error instanceof Error)) return { message: 'cannot be rendered', line: null, column: null };
  if (error instanceof RangeError || /call stack/.test(error.message))
    return { message: tooDeep, line: null, column: null };
  const [line = null, column = null] = isLiquidError(error) ? (error.token?.getPosition() ?? []) : [];
  const bare = error.message.replace(/(?:, file:.*?)?, line:\d+, col:\d+$/s, '').slice(0, 300);
  const known = limitWords.find(([start]) => bare.startsWith(start));
  return { message: known?.[1] ?? bare, line, column };
}

/** The variable that was missing, when that is why rendering failed. */
export function missingOf(error: unknown): string | undefined {
  if (!(error instanceof UndefinedVariableError)) return undefined;
  return /^undefined variable: (\S+?)(?:,|$)/.exec(error.message)?.[1];
}

export { toValueSync };
