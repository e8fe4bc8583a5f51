import type { Answer } from '../../api.ts';

export type Stats = Answer<'GET /campaigns/:id/stats'>;
export type Waterfall = Answer<'GET /campaigns/:id/audience'>;

/** One part of the whole: what a bar's section and the line of the legend beside it show. */
export interface Part {
  readonly key:
    'accepted' | 'sending' | 'waiting' | 'held' | 'suppressed' | 'failed' | 'unknown' | 'cancelled' | 'expired';
  readonly count: number;
  /** Of planned, 0 to 100. */
  readonly percent: number;
}

/** Left to right as a message's life goes: out, going out, not yet, never. */
const order: readonly Part['key'][] = [
  'accepted',
  'sending',
  'waiting',
  'held',
  'suppressed',
  'failed',
  'unknown',
  'cancelled',
  'expired',
];

/** The parts that planned is the sum of; empty ones left out, except the first, which is what people look for. */
export function partsOf(stats: Stats): readonly Part[] {
  return order
    .map((key) => ({ key, count: stats[key], percent: share(stats[key], stats.planned) }))
    .filter((part) => part.count > 0 || part.key === 'accepted');
}

/** How much of the campaign is decided, 0 to 100; whole only when nothing waits any more. */
export function progressOf(stats: Stats): number {
  const open = stats.waiting + stats.held + stats.sending;
  const done = share(stats.planned - open, stats.planned);
  return open > 0 ? Math.min(done, 99) : done;
}

export interface Rate {
  readonly key: 'opened' | 'clicked' | 'unsubscribed' | 'bounced' | 'complained';
  readonly count: number;
  readonly of: number;
  /** 0 to 1; undefined when there is nothing to divide by. */
  readonly rate: number | undefined;
  readonly denominator: string;
}

/** Bounces and complaints are shares of what was sent; what people did is a share of what can have reached them. */
export function ratesOf(stats: Stats): readonly Rate[] {
  const reached = Math.max(stats.accepted - stats.bounced, 0);
  const rate = (key: Rate['key'], of: number, denominator: string): Rate => ({
    key,
    count: stats[key],
    of,
    rate: of > 0 ? stats[key] / of : undefined,
    denominator,
  });
  return [
    rate('opened', reached, 'of the messages sent and not bounced'),
    rate('clicked', reached, 'of the messages sent and not bounced'),
    rate('unsubscribed', reached, 'of the messages sent and not bounced'),
    rate('bounced', stats.accepted, 'of the messages sent'),
    rate('complained', stats.accepted, 'of the messages sent'),
  ];
}

export interface Fall {
  readonly name: string;
  readonly count: number;
  /** Lost on the way from the step before. */
  readonly lost: number;
  /** Of the first step, 0 to 100. */
  readonly percent: number;
}

/** The waterfall as bars: each step against the first, with what was lost getting there. */
export function fallsOf(waterfall: Waterfall): readonly Fall[] {
  const whole = waterfall.steps[0]?.count ?? 0;
  return waterfall.steps.map((step, at) => ({
    name: step.name,
    count: step.count,
    lost: Math.max((waterfall.steps[at - 1]?.count ?? step.count) - step.count, 0),
    percent: share(step.count, whole),
  }));
}

/** Reasons with their counts, the most frequent first. */
export function rankedReasons(counts: Readonly<Record<string, number>>): readonly { code: string; count: number }[] {
  return Object.entries(counts)
    .map(([code, count]) => ({ code, count }))
    .filter((reason) => reason.count > 0)
    .sort((a, b) => b.count - a.count || a.code.localeCompare(b.code));
}

export function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Rounded to one decimal, but never to 0 or 100 unless it is exactly that: one failure in a million must show. */
function share(part: number, whole: number): number {
  if (whole <= 0 || part <= 0) return 0;
  if (part >= whole) return 100;
  return Math.min(Math.max(Math.round((part / whole) * 1000) / 10, 0.1), 99.9);
}

/** An estimate in words, coarse on purpose: "about 3 minutes". */
export function durationText(seconds: number): string {
  if (seconds < 1) return 'less than a second';
  if (seconds < 55) return `about ${plural(Math.ceil(seconds), 'second')}`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `about ${plural(Math.max(minutes, 1), 'minute')}`;
  const hours = Math.round(minutes / 6) / 10;
  if (hours < 36) return `about ${plural(hours, 'hour')}`;
  return `about ${plural(Math.round(hours / 24), 'day')}`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
