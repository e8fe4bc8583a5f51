import type { SendResult } from '../channels/index.ts';
import { backoffMs, coolDownMs, mayRetry, retrySchedules } from './retry.rules.ts';

/** States of a message in the ledger; `sending` is not among them: it is being in the window of a batch. */
export type LedgerState =
  | 'planned'
  | 'held'
  | 'suppressed'
  | 'accepted'
  | 'delivered'
  | 'bounced'
  | 'complained'
  | 'failed'
  | 'unknown'
  | 'cancelled'
  | 'expired';

/** What is written about one message after a hand-over or a decision. */
export interface Outcome {
  readonly state: LedgerState;
  readonly reason: string | null;
  /** The provider's code and words, for the attempt's entry in the event log. */
  readonly code?: string;
  readonly detail?: string;
  readonly ref?: string;
  /** Waits until then (state planned or held). */
  readonly dueAt?: Temporal.Instant;
  /** It went to the provider: counts as an attempt. */
  readonly tried: boolean;
  /** The address itself does not work. */
  readonly badAddress?: boolean;
  /** It may have arrived, and the policy went on at once: the event log tells of the doubt as well as of what came of it. */
  readonly wasUnknown?: boolean;
}

/** What the lane learns from an answer. */
export interface LaneNews {
  readonly coolUntil: Temporal.Instant;
  readonly reason: string;
}

export interface Settling {
  readonly outcome: Outcome;
  readonly lane?: LaneNews;
}

export interface Attempted {
  /** Attempts before this one. */
  readonly attempt: number;
  readonly plannedAt: Temporal.Instant;
  /** How often the lane failed in a row before. */
  readonly laneFailures: number;
  /** Whether another account of the route may take it at once. */
  readonly hasElsewhere?: boolean;
  /** It was to find out whether the lane works again. */
  readonly isProbe?: boolean;
  /** The provider can be asked what became of it, or tells by itself: a doubt is first left to that. */
  readonly tellsLater?: boolean;
}

export type UnknownPolicy = 'hold' | 'resend' | 'give-up';

/** What an answer of the provider means for the ledger and the lane. Exhaustive over `SendResult`. */
export function settle(
  result: SendResult,
  message: Attempted,
  policy: UnknownPolicy,
  now: Temporal.Instant,
  random: number,
): Settling {
  switch (result.kind) {
    case 'accepted':
      return { outcome: { state: 'accepted', reason: null, ref: result.ref, tried: true } };
    case 'refused':
      return refused(result, message, now, random);
    case 'retry':
      return later(result, message, now, random);
    case 'unknown': {
      // In doubt, so never sent by another account; but a lane that gives no answer does not work yet.
      const byPolicy = message.tellsLater === true ? 'hold' : policy;
      const outcome = unknown(result.code, result.cause, message.attempt + 1, byPolicy, now, random);
      if (message.isProbe !== true) return { outcome };
      const coolUntil = now.add({ milliseconds: coolDownMs(message.laneFailures, random, 'provider-down') });
      return { outcome, lane: { coolUntil, reason: 'no-answer' } };
    }
  }
}

function refused(
  result: Extract<SendResult, { kind: 'refused' }>,
  message: Attempted,
  now: Temporal.Instant,
  random: number,
): Settling {
  const words = { code: result.code, detail: result.reason };
  if (result.category !== 'account')
    return {
      outcome: {
        state: 'failed',
        reason: `${result.category}-refused`,
        ...words,
        tried: true,
        badAddress: result.category === 'address',
      },
    };
  // Nothing is wrong with the message: it waits until the account works again, and no attempt is counted.
  const coolUntil = now.add({ milliseconds: coolDownMs(message.laneFailures, random, 'account') });
  return {
    outcome: { ...patience('account-refused', message, now, coolUntil), ...words },
    lane: { coolUntil, reason: 'account-refused' },
  };
}

function later(
  result: Extract<SendResult, { kind: 'retry' }>,
  message: Attempted,
  now: Temporal.Instant,
  random: number,
): Settling {
  const words = { code: result.code, detail: result.reason };
  if (result.category === 'transient') {
    if (!mayRetry('transient', { attempts: message.attempt + 1, plannedAt: message.plannedAt }, now))
      return { outcome: { state: 'failed', reason: 'retries-exhausted', ...words, tried: true } };
    const dueAt = now.add({ milliseconds: Math.max(result.afterMs ?? 0, backoffMs(message.attempt, random)) });
    return { outcome: { state: 'planned', reason: 'retry', ...words, dueAt, tried: true } };
  }
  const restMs = Math.max(result.afterMs ?? 0, coolDownMs(message.laneFailures, random, result.category));
  const coolUntil = now.add({ milliseconds: restMs });
  return {
    outcome: { ...patience(result.category, message, now, coolUntil), ...words },
    lane: { coolUntil, reason: result.category },
  };
}

/** The provider, not the message, is in the way: no attempt is burnt, but the wait has an end. */
function patience(reason: string, message: Attempted, now: Temporal.Instant, dueAt: Temporal.Instant): Outcome {
  const tried = { attempts: message.attempt, plannedAt: message.plannedAt };
  if (!mayRetry('provider-down', tried, now)) return { state: 'expired', reason, tried: false };
  // Another account takes it at once; if none does, the lanes say when.
  if (message.hasElsewhere === true) return { state: 'planned', reason, dueAt: now, tried: false };
  return { state: 'planned', reason, dueAt, tried: false };
}

/** It was not given to anybody: its slot was missed. */
export function stayed(now: Temporal.Instant): Outcome {
  return { state: 'planned', reason: 'slot-missed', dueAt: now, tried: false };
}

/** A message in doubt: an honest state; what happens next is the workspace's policy, never a blind resend. */
export function unknown(
  code: string,
  cause: string,
  attempts: number,
  policy: UnknownPolicy,
  now: Temporal.Instant,
  random: number,
): Outcome {
  const words = { code, detail: cause, tried: true };
  if (policy === 'give-up') return { state: 'failed', reason: 'unknown-given-up', wasUnknown: true, ...words };
  if (policy === 'resend' && attempts < (retrySchedules.transient.mostAttempts ?? Infinity))
    return {
      state: 'planned',
      reason: 'unknown-resent',
      wasUnknown: true,
      dueAt: now.add({ milliseconds: backoffMs(attempts, random) }),
      ...words,
    };
  return { state: 'unknown', reason: code, ...words };
}

/** Columns of `plan_count`; the later ones are parts of accepted. */
export const countColumns = [
  'planned',
  'held',
  'suppressed',
  'accepted',
  'failed',
  'unknown',
  'cancelled',
  'expired',
] as const;
export type CountColumn = (typeof countColumns)[number];

/** The column a state counts in: what is delivered or bounced stays accepted. */
export function countColumn(state: LedgerState): CountColumn {
  switch (state) {
    case 'delivered':
    case 'bounced':
    case 'complained':
      return 'accepted';
    case 'planned':
    case 'held':
    case 'suppressed':
    case 'accepted':
    case 'failed':
    case 'unknown':
    case 'cancelled':
    case 'expired':
      return state;
  }
}

/** The change of the counts when messages move; columns that do not change are absent. */
export function countDeltas(moves: readonly { from: LedgerState; to: LedgerState }[]): Map<CountColumn, number> {
  const deltas = new Map<CountColumn, number>();
  for (const { from, to } of moves) {
    deltas.set(countColumn(from), (deltas.get(countColumn(from)) ?? 0) - 1);
    deltas.set(countColumn(to), (deltas.get(countColumn(to)) ?? 0) + 1);
  }
  for (const [column, delta] of deltas) if (delta === 0) deltas.delete(column);
  return deltas;
}

/** States whose reasons are counted for people to see. */
export function hasReason(state: LedgerState): boolean {
  return state === 'held' || state === 'suppressed' || state === 'failed' || state === 'unknown';
}
