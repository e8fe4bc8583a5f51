import type { Lane } from '../../contract/rate-limits.ts';
import type { Tx } from '../platform/db.ts';
import { notFound } from '../platform/errors.ts';
import { breakerOf } from './breaker.rules.ts';
import { hastenChannel } from './claim.store.ts';
import { readAlerts, readAllUsed, readLanes } from './lane.store.ts';
import type { AlertRow, LaneRow } from './lane.store.ts';
import { counted, paced, usedOf } from './limit.rules.ts';
import type { Limits, Used } from './limit.rules.ts';
import type { MessageDeps } from './ports.ts';
import { waitingByChannel } from './read.store.ts';
import { dayOf } from './warmup.rules.ts';
import type { Warmup } from './warmup.rules.ts';

interface Seen {
  readonly lane: LaneRow | undefined;
  readonly used: Used | undefined;
  readonly alerts: readonly AlertRow[];
  readonly waiting: number;
}

type Account = Awaited<ReturnType<MessageDeps['laneAccounts']>>[number];

/** The lanes as people see them: open, paused by somebody, or cooling down after the provider asked for it. */
export async function laneList(tx: Tx, deps: MessageDeps, channel?: Lane['channel']): Promise<Lane[]> {
  const now = deps.clock.now();
  const lanes = new Map((await readLanes(tx)).map((lane) => [lane.accountId, lane]));
  const used = await readAllUsed(tx, now);
  const alerts = Map.groupBy(await readAlerts(tx, now), (one) => one.accountId);
  const waiting = await waitingByChannel(tx);
  const accounts = await deps.laneAccounts(tx);
  return accounts
    .filter((account) => channel === undefined || account.channel === channel)
    .map((account) =>
      toLane(
        account,
        {
          lane: lanes.get(account.id),
          used: used.get(account.id),
          alerts: alerts.get(account.id) ?? [],
          waiting: waiting.get(account.channel) ?? 0,
        },
        now,
      ),
    );
}

function toLane(account: Account, { lane, used, alerts, waiting }: Seen, now: Temporal.Instant): Lane {
  const breaker = lane === undefined ? 'closed' : breakerOf(lane, now);
  const isCooling = breaker === 'open';
  return {
    lane: account.id,
    name: account.name,
    // Accounts are made by the same contract.
    channel: account.channel as Lane['channel'],
    state: account.pausedAt !== null ? 'paused' : isCooling ? 'cooling' : 'open',
    pausedAt: account.pausedAt?.toString() ?? null,
    coolUntil: isCooling ? (lane?.coolUntil?.toString() ?? null) : null,
    coolReason: breaker === 'closed' ? null : (lane?.coolReason ?? null),
    breaker: breaker === 'probing' ? 'half-open' : breaker,
    limits: limitsOf(account.limits, lane?.nextAt, used, now),
    settings: account.limits as Lane['settings'],
    warmup: account.limits.warmup === undefined ? null : warmupOf(account.limits.warmup, now),
    alerts: alerts.map(({ kind, level, at }) => ({ limit: kind, level, at: at.toString() })),
    waiting,
  };
}

function warmupOf(plan: Warmup, now: Temporal.Instant): NonNullable<Lane['warmup']> {
  const day = dayOf(plan, now) + 1;
  return {
    startsOn: plan.startsOn,
    ceilings: [...plan.ceilings],
    day: Math.max(0, day),
    isOver: day > plan.ceilings.length,
  };
}

function limitsOf(
  limits: Limits,
  nextAt: Temporal.Instant | undefined,
  used: Used | undefined,
  now: Temporal.Instant,
): Lane['limits'] {
  const bookedMs = nextAt === undefined ? 0 : Math.max(0, nextAt.epochMilliseconds - now.epochMilliseconds);
  const spaced = paced(limits).map(({ seconds, limit }) => ({
    perSeconds: seconds,
    limit,
    remaining: Math.max(0, Math.floor(limit * (1 - bookedMs / (seconds * 1_000)))),
    isWarmup: false,
  }));
  const tallied = counted(limits, now).map(({ kind, seconds, limit }) => ({
    perSeconds: seconds,
    limit,
    remaining: Math.max(0, limit - (used === undefined ? 0 : usedOf(used, seconds))),
    isWarmup: kind === 'warm-up',
  }));
  return [...spaced, ...tallied];
}

type Turned = 'pause' | 'resume';

export async function turnLane(tx: Tx, deps: MessageDeps, id: string, turn: Turned): Promise<Lane> {
  await deps.setAccountPaused(tx, id, turn === 'pause');
  const lane = await laneOf(tx, deps, id);
  if (turn === 'resume') await hastenChannel(tx, lane.channel, deps.clock.now());
  await deps.record(tx, {
    action: turn === 'pause' ? 'lane.paused' : 'lane.resumed',
    target: { kind: 'provider', id },
  });
  return lane;
}

/** All lanes of a channel at once. */
export async function turnChannel(tx: Tx, deps: MessageDeps, channel: Lane['channel'], turn: Turned): Promise<Lane[]> {
  for (const { lane } of await laneList(tx, deps, channel)) await turnLane(tx, deps, lane, turn);
  return laneList(tx, deps, channel);
}

export async function setLimits(tx: Tx, deps: MessageDeps, id: string, limits: Limits): Promise<Lane> {
  const { before, after } = await deps.setAccountLimits(tx, id, limits);
  const lane = await laneOf(tx, deps, id);
  // A limit that was raised lets more go now.
  await hastenChannel(tx, lane.channel, deps.clock.now());
  await deps.record(tx, {
    action: 'lane.limits-changed',
    target: { kind: 'provider', id },
    before: { limits: before },
    after: { limits: after },
  });
  return lane;
}

async function laneOf(tx: Tx, deps: MessageDeps, id: string): Promise<Lane> {
  const lane = (await laneList(tx, deps)).find((one) => one.lane === id);
  if (lane === undefined) throw notFound('lane');
  return lane;
}
