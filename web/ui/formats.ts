import { useMemo } from 'react';
import { useMe } from '../shell/me.ts';

export interface Formats {
  readonly zone: string;
  number(value: number): string;
  percent(share: number): string;
  /** `21 Nov 2026, 18:05` */
  short(at: string): string;
  /** With seconds and the zone's name. */
  exact(at: string): string;
  /** `3 minutes ago` */
  relative(at: string, now?: number): string;
}

const browserZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

const steps: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** Numbers and times as one person reads them. An unknown locale or zone falls back to the browser's. */
export function createFormats(locale: string | null, timeZone: string | null): Formats {
  const language = locale !== null && isLocale(locale) ? locale : undefined;
  const zone = timeZone !== null && isZone(timeZone) ? timeZone : browserZone();
  const numbers = new Intl.NumberFormat(language);
  const percents = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  const shorts = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone: zone });
  const exacts = new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'long', timeZone: zone });
  const relatives = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  return {
    zone,
    number: (value) => numbers.format(value),
    percent: (share) => percents.format(share),
    short: (at) => shorts.format(new Date(at)),
    exact: (at) => exacts.format(new Date(at)),
    relative: (at, now = Date.now()) => {
      const seconds = (new Date(at).getTime() - now) / 1000;
      const [unit, size] = steps.find((step) => Math.abs(seconds) >= step[1]) ?? ['second', 1];
      return relatives.format(Math.trunc(seconds / size), unit);
    },
  };
}

function isLocale(locale: string): boolean {
  try {
    return Intl.getCanonicalLocales(locale).length > 0;
  } catch {
    return false;
  }
}

function isZone(timeZone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone }));
  } catch {
    return false;
  }
}

/** Formats of whoever is signed in. */
export function useFormats(): Formats {
  const { user } = useMe();
  const locale = user?.locale ?? null;
  const timeZone = user?.timeZone ?? null;
  return useMemo(() => createFormats(locale, timeZone), [locale, timeZone]);
}
