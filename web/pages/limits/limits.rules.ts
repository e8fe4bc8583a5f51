import type { Lane } from '../../../contract/rate-limits.ts';

export type Settings = Lane['settings'];
type Domains = NonNullable<Settings['perDomain']>;

const periods = ['second', 'minute', 'hour', 'day'] as const;
type Period = (typeof periods)[number];
const keys = { second: 'perSecond', minute: 'perMinute', hour: 'perHour', day: 'perDay' } as const satisfies Record<
  Period,
  keyof Settings
>;

export const plainLimits = [
  { key: 'perSecond', label: 'Per second' },
  { key: 'perMinute', label: 'Per minute' },
  { key: 'perHour', label: 'Per hour' },
  { key: 'perDay', label: 'Per day' },
  { key: 'perRecipientPerDay', label: 'To one person per day' },
  { key: 'perSenderPerSecond', label: 'From one sender per second' },
] as const;
type PlainKey = (typeof plainLimits)[number]['key'];

/** What the form holds: numbers as they are typed, the rest as text. */
export interface LimitValues extends Record<string, unknown> {
  plain: Record<PlainKey, number | string>;
  domains: string;
  startsOn: string;
  ceilings: string;
}

export function valuesOf(settings: Settings): LimitValues {
  const plain = Object.fromEntries(plainLimits.map(({ key }) => [key, settings[key] ?? '']));
  return {
    plain: plain as LimitValues['plain'],
    domains: domainsText(settings.perDomain ?? {}),
    startsOn: settings.warmup?.startsOn ?? '',
    ceilings: (settings.warmup?.ceilings ?? []).join(', '),
  };
}

/** `gmail.com 600/minute`, a line for each. */
function domainsText(domains: Domains): string {
  return Object.entries(domains)
    .flatMap(([domain, limits]) =>
      periods.flatMap((period) => {
        const limit = limits[keys[period]];
        return limit === undefined ? [] : [`${domain} ${limit}/${period}`];
      }),
    )
    .join('\n');
}

const line = /^([a-z0-9-]+(?:\.[a-z0-9-]+)+)\s+(\d{1,10})\s*\/\s*(second|minute|hour|day)$/i;

/** Undefined where a line cannot be read. */
export function domainsIn(text: string): Domains | undefined {
  const domains: Record<string, Domains[string]> = {};
  for (const one of text.split('\n')) {
    if (one.trim() === '') continue;
    const [, domain = '', limit = '', period = ''] = line.exec(one.trim()) ?? [];
    if (domain === '' || Number(limit) < 1) return undefined;
    const name = domain.toLowerCase();
    domains[name] = { ...domains[name], [keys[period.toLowerCase() as Period]]: Number(limit) };
  }
  return domains;
}

/** Undefined where something is no whole number above 0. */
export function ceilingsIn(text: string): number[] | undefined {
  const parts = text.split(/[\s,;]+/).filter((part) => part !== '');
  const ceilings = parts.map(Number);
  return ceilings.every((one) => Number.isInteger(one) && one > 0) && ceilings.length <= 120 ? ceilings : undefined;
}

/** A usual curve: doubling from `first` day by day until `goal` is reached. */
export function doubling(first: number, goal: number): number[] {
  const ceilings: number[] = [];
  for (let ceiling = first; ceilings.length < 120; ceiling *= 2) {
    ceilings.push(Math.min(ceiling, goal));
    if (ceiling >= goal) break;
  }
  return ceilings;
}

export function settingsOf(values: LimitValues): Settings {
  const plain = plainLimits.flatMap(({ key }) => (values.plain[key] === '' ? [] : [[key, Number(values.plain[key])]]));
  const perDomain = domainsIn(values.domains) ?? {};
  const ceilings = ceilingsIn(values.ceilings) ?? [];
  return {
    ...(Object.fromEntries(plain) as Settings),
    ...(Object.keys(perDomain).length === 0 ? {} : { perDomain }),
    ...(values.startsOn === '' || ceilings.length === 0 ? {} : { warmup: { startsOn: values.startsOn, ceilings } }),
  };
}

export function periodText(seconds: number): string {
  if (seconds === 1) return 'second';
  if (seconds === 60) return 'minute';
  return seconds === 3_600 ? 'hour' : 'day';
}

/** What an open, closed or trying lane means for people. */
export function breakerText({ state, breaker, coolReason }: Pick<Lane, 'state' | 'breaker' | 'coolReason'>): string {
  if (state === 'paused') return 'Paused by somebody here; what waits stays waiting.';
  if (breaker === 'closed') return 'Sending.';
  const why = reasons[coolReason ?? ''] ?? 'the provider is in trouble';
  return breaker === 'open'
    ? `Resting, because ${why}. Other accounts of the route take over meanwhile.`
    : `One message is trying whether it works again, after ${why}.`;
}

const reasons: Readonly<Record<string, string>> = {
  throttled: 'the provider asked us to slow down',
  'provider-down': 'the provider does not work',
  'account-refused': 'the provider refuses the account',
  'no-answer': 'the provider gave no answer',
};
