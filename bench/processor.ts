import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig } from './rig.ts';

/** Seconds of processor time of PostgreSQL so far: of its postmaster, of what it has reaped, and of what runs. */
export function postgresSeconds(rig: Pick<Rig, 'dataDir'>): number {
  const postmaster = Number(readFileSync(join(rig.dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
  let ticks = 0;
  for (const pid of readdirSync('/proc').map(Number)) {
    if (!Number.isInteger(pid)) continue;
    const fields = statOf(pid);
    const [own, reaped] = [Number(fields[11]) + Number(fields[12]), Number(fields[13]) + Number(fields[14])];
    if (pid === postmaster) ticks += own + reaped;
    else if (Number(fields[1]) === postmaster) ticks += own;
  }
  return ticks / 100;
}

/** What /proc says of a process, from its state on; nothing when it has just ended. */
function statOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  } catch {
    return [];
  }
}
