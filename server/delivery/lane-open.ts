import type { Tx } from '../platform/db.ts';
import { admitted } from './breaker.rules.ts';
import type { Breaker } from './breaker.rules.ts';
import { breakerOf } from './breaker.rules.ts';
import { insertLease, lockLane, noteAlerts, readUsed, setLaneNext, setProbe } from './lane.store.ts';
import { counted, grant, levelOf, usedOf } from './limit.rules.ts';
import type { CountedLimit, Used } from './limit.rules.ts';
import { openAt, paceOf, reserve } from './pace.rules.ts';
import type { Pace, Reservation } from './pace.rules.ts';
import type { DeliveryDeps, LaneAccount } from './ports.ts';

/** What a claim may hand over on a lane. */
export interface Opening {
  readonly count: number;
  readonly pace: Pace;
  readonly reservation: Reservation;
  /** Whether an allowance was leased that has to be settled. */
  readonly leased: boolean;
  /** One message that finds out whether the lane works again. */
  readonly probe: boolean;
  readonly failures: number;
}

export interface Wanted {
  readonly batchId: string;
  readonly position: number;
  readonly count: number;
  readonly urgent: boolean;
}

/** How long a probe may take before another one tries. */
const probeSeconds = 30;

/** Opens a lane for a claim: breaker, counted limits, pace. A moment: it does not open before then. */
export async function openLane(
  tx: Tx,
  deps: Pick<DeliveryDeps, 'clock' | 'events'>,
  account: LaneAccount,
  wanted: Wanted,
): Promise<Opening | Temporal.Instant> {
  const now = deps.clock.now();
  const lane = await lockLane(tx, account.id, now);
  const breaker: Breaker = breakerOf(lane, now);
  const taken = admitted(lane, wanted.count, now);
  if (taken.count === 0) return taken.again;
  const limits = counted(account.limits, now);
  const pace = paceOf(account.limits);
  if (Temporal.Instant.compare(openAt(lane.nextAt, wanted.urgent), now) > 0 && pace.intervalMs > 0)
    return openAt(lane.nextAt, wanted.urgent);
  const used = limits.length === 0 ? undefined : await readUsed(tx, account.id, now);
  const allowed = used === undefined ? taken.count : grant(limits, used, taken.count, wanted.urgent, now);
  const most = typeof allowed === 'number' ? allowed : allowed.count;
  const reservation = most === 0 ? undefined : reserve(lane.nextAt, pace, most, now, wanted.urgent);
  if (used !== undefined) await tellOfLimits(tx, deps, account, limits, used, reservation?.count ?? 0);
  if (reservation === undefined) return typeof allowed === 'number' ? now : (allowed.again ?? now);
  const { count } = reservation;
  if (pace.intervalMs > 0) await setLaneNext(tx, account.id, reservation.nextAt);
  if (used !== undefined)
    await insertLease(tx, {
      batchId: wanted.batchId,
      accountId: account.id,
      position: wanted.position,
      tokens: count,
    });
  const probe = breaker === 'half-open';
  if (probe) await setProbe(tx, account.id, now.add({ seconds: probeSeconds }));
  return { count, pace, reservation, leased: used !== undefined, probe, failures: lane.failures };
}

/** At four fifths and at the end of an hour's or a day's allowance, once in each: people can still do something. */
async function tellOfLimits(
  tx: Tx,
  deps: Pick<DeliveryDeps, 'clock' | 'events'>,
  account: LaneAccount,
  limits: readonly CountedLimit[],
  used: Used,
  taking: number,
): Promise<void> {
  const now = deps.clock.now();
  const alerts = limits.flatMap(({ kind, seconds, limit }) => {
    const level = levelOf(usedOf(used, seconds) + taking, limit);
    if (level === undefined) return [];
    // A claim that takes all at once passes by what was near.
    return level === 'reached' ? [alert('near'), alert('reached')] : [alert('near')];
    function alert(which: 'near' | 'reached') {
      return { kind, seconds, limit, level: which };
    }
  });
  if (alerts.length === 0) return;
  const fresh = await noteAlerts(tx, account.id, alerts, now);
  await deps.events.append(
    tx,
    fresh.map(({ kind, level }) => ({
      kind: `lane.limit-${level}`,
      occurredAt: now,
      data: {
        account: account.id,
        name: account.name,
        channel: account.channel,
        limit: kind,
        most: alerts.find((one) => one.kind === kind)?.limit ?? 0,
      },
    })),
  );
}
