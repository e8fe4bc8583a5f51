import { paceFor, slot } from './pace.rules.ts';
import type { Pace } from './pace.rules.ts';
import { givenLimits } from './limit.rules.ts';
import type { Limits } from './limit.rules.ts';

/**
 * Limits by whom a message goes to or comes from. Each key (a domain, a sender) has a pace of its own. Who finds no slot
 * within reach is put off to the end of a queue that moves at that pace, so that he comes back when there is one, and
 * does not ask in vain meanwhile.
 */
export interface Ends {
  /** Lower case; undefined where the channel has none. */
  readonly domain: string | undefined;
  /** Undefined where the provider chooses: then all of the account's senders count as one. */
  readonly sender: string | undefined;
}

/** The keys of a message that are limited, with their pace. */
export function keysOf(limits: Limits, { domain, sender }: Ends): { key: string; pace: Pace }[] {
  const keys: { key: string; pace: Pace }[] = [];
  const ofDomain = domain === undefined ? undefined : limits.perDomain?.[domain];
  if (ofDomain !== undefined) {
    const given = givenLimits(ofDomain);
    if (given.length > 0) keys.push({ key: `domain ${domain}`, pace: paceFor(given) });
  }
  if (limits.perSenderPerSecond !== undefined)
    keys.push({ key: `sender ${sender ?? ''}`, pace: paceFor([{ seconds: 1, limit: limits.perSenderPerSecond }]) });
  return keys;
}

export interface KeyState {
  nextAt: Temporal.Instant;
  tailAt: Temporal.Instant;
}

/** Slots this far ahead are waited for within a window; later ones outside of it. */
const reachMs = 1_500;

export type Placed =
  | { readonly kind: 'slot'; readonly at: Temporal.Instant; readonly by: Temporal.Instant }
  | { readonly kind: 'later'; readonly key: string; readonly dueAt: Temporal.Instant };

const latest = (a: Temporal.Instant, b: Temporal.Instant) => (Temporal.Instant.compare(a, b) >= 0 ? a : b);

/**
 * A place for one message at all its keys, or none. `returning`: it was put off before and its turn has come; newcomers
 * queue up behind those who wait, unless they are urgent. Moves the states of the keys.
 */
export function place(
  keys: readonly { key: string; pace: Pace }[],
  stateOf: (key: string) => KeyState,
  who: { readonly returning: boolean; readonly urgent: boolean },
  now: Temporal.Instant,
): Placed {
  const reach = now.add({ milliseconds: reachMs });
  const within = (at: Temporal.Instant) => Temporal.Instant.compare(at, reach) <= 0;
  const at = keys.map(({ key }) => stateOf(key).nextAt).reduce(latest, now);
  const queued = who.urgent || who.returning ? undefined : keys.find(({ key }) => !within(stateOf(key).tailAt));
  const full = queued ?? (within(at) ? undefined : keys.find(({ key }) => !within(stateOf(key).nextAt)));
  if (full !== undefined) return later(full, stateOf(full.key), who.returning, now);
  let by: Temporal.Instant | undefined;
  for (const { key, pace } of keys) {
    const state = stateOf(key);
    state.nextAt = slot(at, pace.intervalMs, 1);
    state.tailAt = latest(state.tailAt, state.nextAt);
    const end = at.add({ milliseconds: pace.latenessMs });
    by = by === undefined || Temporal.Instant.compare(end, by) < 0 ? end : by;
  }
  return { kind: 'slot', at, by: by ?? at };
}

function later({ key, pace }: { key: string; pace: Pace }, state: KeyState, returning: boolean, now: Temporal.Instant) {
  // Who was put off before stays in front.
  const at = latest(returning ? state.nextAt : latest(state.tailAt, state.nextAt), now);
  if (!returning) state.tailAt = slot(at, pace.intervalMs, 1);
  // Within a second of its turn: those of one second come together.
  const dueAt = Temporal.Instant.fromEpochMilliseconds(Math.floor(at.epochMilliseconds / 1_000) * 1_000);
  return { kind: 'later' as const, key, dueAt: latest(dueAt, now.add({ milliseconds: 500 })) };
}
