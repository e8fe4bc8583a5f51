import { until } from '../../bench/rig.ts';
import type { Resident, Town } from './town.ts';

export const faultKinds = [
  'worker killed',
  'api killed',
  'database killed',
  'wire cut',
  'wire quiet',
  'worker paused',
  'lease holder paused',
  'clock jumped',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Of forty faults, so many are of a kind. */
const share: Readonly<Record<FaultKind, number>> = {
  'worker killed': 10,
  'api killed': 4,
  'database killed': 4,
  'wire cut': 9,
  'wire quiet': 4,
  'worker paused': 3,
  'lease holder paused': 1,
  'clock jumped': 5,
};

export interface Fault {
  readonly kind: FaultKind;
  /** Ids that the ledger had in doubt when a worker was killed or lost its lease. */
  readonly inDoubt: readonly string[];
  /** Of those, what the provider did not have when the lease was lost, */
  readonly unsent: number;
  /** and what it was given after the one who had lost the lease went on. */
  readonly sentLate: readonly string[];
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const nothing = { inDoubt: [], unsent: 0, sentLate: [] };

/** So many faults in random order, each kind at least once. */
export function faultPlan(count: number, random: () => number): FaultKind[] {
  const all = Object.values(share).reduce((sum, one) => sum + one, 0);
  const kinds: FaultKind[] = [...faultKinds];
  while (kinds.length < count) {
    let place = random() * all;
    kinds.push(faultKinds.find((kind) => (place -= share[kind]) < 0) ?? 'wire cut');
  }
  return kinds
    .slice(0, count)
    .map((kind) => ({ kind, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ kind }) => kind);
}

function pick<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}

/** What the batches of a process say was begun and had not ended. */
async function inFlight(town: Town, pid: number): Promise<string[]> {
  const rows = await until(
    () =>
      town
        .look<{ id: string }>(
          'select f.id from batch b cross join unnest(b.in_flight) as f (id) where b.worker like $1',
          [`%:${pid}`],
        )
        .catch(() => undefined),
    100,
  );
  return rows.map((row) => row.id);
}

/** Moments in which the database does what the dead process asked for last. */
const settleMs = 500;

export async function strike(kind: FaultKind, town: Town, random: () => number): Promise<Fault> {
  switch (kind) {
    case 'worker killed': {
      const pid = await pick(town.workers, random).kill();
      await pause(settleMs);
      return { kind, ...nothing, inDoubt: await inFlight(town, pid) };
    }
    case 'api killed':
      await town.api.kill();
      return { kind, ...nothing };
    case 'database killed':
      await town.killDatabase();
      return { kind, ...nothing };
    case 'wire cut':
      town.wire.cut();
      return { kind, ...nothing };
    case 'wire quiet': {
      town.wire.hang();
      await pause(500 + random() * 2_500);
      if (random() < 0.5) town.wire.cut();
      town.wire.resume();
      return { kind, ...nothing };
    }
    case 'worker paused': {
      const { pid } = pick(town.workers, random).now();
      process.kill(pid, 'SIGSTOP');
      await pause(500 + random() * 3_000);
      process.kill(pid, 'SIGCONT');
      return { kind, ...nothing };
    }
    case 'lease holder paused':
      return pauseHolder(town, random);
    case 'clock jumped': {
      const ms = Math.round(60_000 * 1_440 ** random()) * (random() < 0.5 ? -1 : 1);
      pick(town.people, random).shift(ms);
      return { kind, ...nothing };
    }
  }
}

/** One that holds leases is stopped until the other has taken all of them over, and goes on then. */
async function pauseHolder(town: Town, random: () => number): Promise<Fault> {
  const holder = await until(() => findHolder(town, random), 50, 120_000);
  const { pid } = holder.now();
  process.kill(pid, 'SIGSTOP');
  try {
    await pause(settleMs);
    const inDoubt = await inFlight(town, pid);
    await until(
      async () => {
        const held = await town.look('select 1 from batch where worker like $1', [`%:${pid}`]);
        return held.length === 0 ? true : undefined;
      },
      200,
      200_000,
    );
    const before = town.recorded();
    const known = new Set(before);
    process.kill(pid, 'SIGCONT');
    await pause(2_000);
    const doubted = new Set(inDoubt);
    const late = town.recorded(before.length).filter((id) => doubted.has(id));
    return {
      kind: 'lease holder paused',
      inDoubt,
      unsent: inDoubt.filter((id) => !known.has(id)).length,
      sentLate: late,
    };
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

async function findHolder(town: Town, random: () => number): Promise<Resident | undefined> {
  const worker = pick(town.workers, random);
  const held = await inFlight(town, worker.now().pid);
  return held.length > 16 ? worker : undefined;
}
