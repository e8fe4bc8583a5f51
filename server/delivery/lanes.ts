import type { Lane } from '../../contract/rate-limits.ts';
import type { Tx } from '../platform/db.ts';
import { notFound } from '../platform/errors.ts';
import { hastenChannel } from './claim.store.ts';
import { readLanes } from './lane.store.ts';
import { givenLimits } from './limit.rules.ts';
import type { Limits } from './limit.rules.ts';
import type { MessageDeps } from './ports.ts';
import { waitingByChannel } from './read.store.ts';

/** The lanes as people see them: open, paused by somebody, or cooling down after the provider asked for it. */
export async function laneList(tx: Tx, deps: MessageDeps): Promise<Lane[]> {
  const now = deps.clock.now();
  const lanes = new Map((await readLanes(tx)).map((lane) => [lane.accountId, lane]));
  const waiting = await waitingByChannel(tx);
  return (await deps.laneAccounts(tx)).map((account) => {
    const lane = lanes.get(account.id);
    const cooling = lane?.coolUntil != null && Temporal.Instant.compare(lane.coolUntil, now) > 0;
    return {
      lane: account.id,
      name: account.name,
      channel: 'email',
      state: account.pausedAt !== null ? 'paused' : cooling ? 'cooling' : 'open',
      pausedAt: account.pausedAt?.toString() ?? null,
      coolUntil: cooling ? (lane.coolUntil?.toString() ?? null) : null,
      limits: limitsOf(account.limits, lane?.nextAt, now),
      waiting: waiting.get(account.channel) ?? 0,
    };
  });
}

function limitsOf(limits: Limits, nextAt: Temporal.Instant | undefined, now: Temporal.Instant): Lane['limits'] {
  const bookedMs = nextAt === undefined ? 0 : Math.max(0, nextAt.epochMilliseconds - now.epochMilliseconds);
  return givenLimits(limits).map(({ seconds, limit }) => {
    return {
      perSeconds: seconds,
      limit,
      remaining: Math.max(0, Math.floor(limit * (1 - bookedMs / (seconds * 1_000)))),
    };
  });
}

export async function pauseLane(tx: Tx, deps: MessageDeps, id: string): Promise<Lane> {
  await deps.setAccountPaused(tx, id, true);
  await deps.record(tx, { action: 'lane.paused', target: { kind: 'provider', id } });
  return laneOf(tx, deps, id);
}

export async function resumeLane(tx: Tx, deps: MessageDeps, id: string): Promise<Lane> {
  await deps.setAccountPaused(tx, id, false);
  const lane = await laneOf(tx, deps, id);
  await hastenChannel(tx, lane.channel, deps.clock.now());
  await deps.record(tx, { action: 'lane.resumed', target: { kind: 'provider', id } });
  return lane;
}

async function laneOf(tx: Tx, deps: MessageDeps, id: string): Promise<Lane> {
  const lane = (await laneList(tx, deps)).find((one) => one.lane === id);
  if (lane === undefined) throw notFound('lane');
  return lane;
}
