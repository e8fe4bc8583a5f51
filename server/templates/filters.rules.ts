import { filters as stock } from 'liquidjs';
import type { Context, FilterImplOptions } from 'liquidjs';

/** What one rendering knows beside its variables; filters find it on the scope under a symbol no template can name. */
export interface Rendering {
  readonly locale: string;
  readonly timeZone: string;
  readonly now: () => Temporal.Instant;
  /** The address of link `n`, as it goes into the part being rendered. */
  readonly link: (n: number, context: Context) => string;
  readonly open: string;
  /** With the line break after it; empty when there is none. */
  readonly postal: string;
}

export const rendering: unique symbol = Symbol('rendering');

type FilterSet = Readonly<Record<string, FilterImplOptions>>;
interface FilterThis {
  readonly context: Context;
}

function renderingOf(self: FilterThis): Rendering | undefined {
  const scope: unknown = self.context.environments;
  return typeof scope === 'object' && scope !== null && rendering in scope
    ? (scope as { [rendering]?: Rendering })[rendering]
    : undefined;
}

const calendarDate = /^\d{4}-\d{2}-\d{2}$/;

/** The stock date filters, in the reader's language and zone instead of the server's. */
function localDate(name: 'date' | 'date_to_string' | 'date_to_long_string' | 'date_to_xmlschema' | 'date_to_rfc822') {
  const original = stock[name] as (this: object, value: unknown, ...rest: unknown[]) => unknown;
  return function localised(this: FilterThis, value: unknown, ...rest: unknown[]): unknown {
    const state = renderingOf(this);
    const { memoryLimit, opts } = this.context;
    // A birthday is a day, not the midnight of some zone: shifting it would show the day before.
    const timezoneOffset = typeof value === 'string' && calendarDate.test(value) ? 'UTC' : (state?.timeZone ?? 'UTC');
    const at = value === 'now' || value === 'today' ? secondsNow(state) : value;
    return original.call(
      { ...this, context: { memoryLimit, opts: { ...opts, timezoneOffset, locale: state?.locale ?? 'en' } } },
      at,
      ...rest,
    );
  };
}

function secondsNow(state: Rendering | undefined): number | undefined {
  return state === undefined ? undefined : Math.floor(state.now().epochMilliseconds / 1000);
}

const formats = new Map<string, Intl.NumberFormat>();

function numberFormat(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (format === undefined) {
    // Locales come from contacts: bounded, so that strange data cannot fill memory.
    if (formats.size > 500) formats.clear();
    format = new Intl.NumberFormat(locale, options);
    formats.set(key, format);
  }
  return format;
}

function localNumber(this: FilterThis, value: unknown, digits?: unknown): unknown {
  const amount = Number(value);
  if (value === '' || value === null || !Number.isFinite(amount)) return value;
  const options =
    typeof digits === 'number' && digits >= 0 && digits <= 20
      ? { minimumFractionDigits: digits, maximumFractionDigits: digits }
      : {};
  return numberFormat(renderingOf(this)?.locale ?? 'en', options).format(amount);
}

function money(this: FilterThis, value: unknown, currency: unknown): unknown {
  const amount = Number(value);
  if (value === '' || value === null || !Number.isFinite(amount)) return value;
  if (typeof currency !== 'string' || !/^[A-Za-z]{3}$/.test(currency))
    throw new Error('money needs a currency: {{ x | money: "EUR" }}');
  return numberFormat(renderingOf(this)?.locale ?? 'en', { style: 'currency', currency }).format(amount);
}

/** What authors have beyond Liquid's own. */
export const authorFilters: FilterSet = {
  date: localDate('date'),
  date_to_string: localDate('date_to_string'),
  date_to_long_string: localDate('date_to_long_string'),
  date_to_xmlschema: localDate('date_to_xmlschema'),
  date_to_rfc822: localDate('date_to_rfc822'),
  number: localNumber,
  money,
};

/** How a value is printed: nothing for none, lists joined, objects as JSON. */
export function plainText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      if (value === null) return '';
      return Array.isArray(value) ? value.map(plainText).join('') : (JSON.stringify(value) ?? '');
    default:
      return '';
  }
}

function encoded(value: unknown): string {
  // A lone surrogate would throw.
  return encodeURIComponent(plainText(value).toWellFormed());
}

/** Put in by the compiler, by the place an output stands in; authors cannot write them. */
export const renderFilters: FilterSet = {
  /** In a style: nothing that ends the declaration or fetches something. */
  parley_css: (value: unknown) => plainText(value).replace(/[^\w#%.,\s()+-]/g, ''),
  /** In a JSON or script string, with nothing left that HTML would escape on top of it. */
  parley_script: (value: unknown) =>
    JSON.stringify(plainText(value).toWellFormed())
      .slice(1, -1)
      .replace(/\\(.)|[<>&']/g, (all, escaped?: string) =>
        escaped === '"' ? '\\u0022' : escaped === undefined ? `\\u00${all.charCodeAt(0).toString(16)}` : all,
      ),
  /** After `?` or `#` of a URL. */
  parley_query: encoded,
  /** In the path of a URL. */
  parley_path: (value: unknown) => encoded(value).replaceAll('%2F', '/'),
  /** In the host of a URL. */
  parley_host: (value: unknown) => plainText(value).replace(/[^A-Za-z0-9.:-]/g, ''),
  parley_link: {
    raw: true,
    handler(this: FilterThis, n: unknown) {
      return renderingOf(this)?.link(Number(n), this.context) ?? '#';
    },
  },
  parley_open: {
    raw: true,
    handler(this: FilterThis) {
      return renderingOf(this)?.open ?? '';
    },
  },
  parley_postal: {
    raw: true,
    handler(this: FilterThis) {
      return renderingOf(this)?.postal ?? '';
    },
  },
};

const stockEscape = stock['escape'] as (this: object, value: unknown) => string;
const stockBreaks = stock['newline_to_br'] as (this: object, value: unknown) => string;

/** In HTML each output is escaped anyway: these say so, instead of escaping twice. */
export const markupFilters: FilterSet = {
  escape: { raw: true, handler: stockEscape },
  xml_escape: { raw: true, handler: stockEscape },
  escape_once: { raw: true, handler: stock['escape_once'] as (this: object, value: unknown) => string },
  newline_to_br: {
    raw: true,
    handler(this: FilterThis, value: unknown) {
      return stockBreaks.call(this, stockEscape.call(this, value));
    },
  },
};

/** In plain text nothing is escaped. */
export const plainFilters: FilterSet = {
  escape: (value: unknown) => value,
  xml_escape: (value: unknown) => value,
  escape_once: (value: unknown) => value,
  newline_to_br: (value: unknown) => value,
};
