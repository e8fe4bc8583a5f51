import { sandboxScenario } from '../../contract/sandbox-scenario.ts';
import type { SandboxScenario } from '../../contract/sandbox-scenario.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { emptyScenario } from './scenario.rules.ts';
import * as store from './store.ts';

/** Each workspace's scenario, read at most once a second: every message asks for it. */
export interface Scenarios {
  of(workspaceId: string): Promise<SandboxScenario>;
  read(tx: Tx): Promise<SandboxScenario>;
  /** Holds here from the commit on, in other processes within a second. */
  write(tx: Tx, scenario: SandboxScenario): Promise<void>;
}

const freshMs = 1000;

interface Known {
  readonly scenario: Promise<SandboxScenario>;
  readonly at: number;
}

export function createScenarios({ db, clock }: { readonly db: Db; readonly clock: Clock }): Scenarios {
  const known = new Map<string, Known>();
  const read = async (tx: Tx) => {
    const stored = await store.findScenario(tx);
    // One that an older version wrote and this one cannot read any more is none.
    return sandboxScenario.safeParse(stored).data ?? emptyScenario;
  };
  return {
    read,
    write: async (tx, scenario) => {
      await store.writeScenario(tx, scenario, clock.now());
      tx.afterCommit(() => known.delete(tx.workspaceId));
    },
    of: (workspaceId) => {
      const now = clock.now().epochMilliseconds;
      const found = known.get(workspaceId);
      if (found !== undefined && Math.abs(now - found.at) < freshMs) return found.scenario;
      const scenario = db.read(workspaceId, read);
      known.set(workspaceId, { scenario, at: now });
      scenario.catch(() => known.delete(workspaceId));
      return scenario;
    },
  };
}
