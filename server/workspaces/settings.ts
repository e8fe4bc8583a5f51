import { z } from 'zod';
import { unknownPolicy } from '../../contract/workspace.ts';
import type { WorkspaceSettings as PresentedSettings } from '../../contract/workspace.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { notFound } from '../platform/errors.ts';
import type { Audit, AuditOrigin } from './audit.ts';
import * as store from './store.ts';

/** What a workspace is called and how it wants things done. */
export interface WorkspaceSettings {
  readonly name: string;
  readonly postalAddress: string | null;
  /** ISO 3166, for phone numbers without a country code. */
  readonly defaultCountry: string | null;
  /** What becomes of a message of which nobody knows whether it was handed over. */
  readonly unknownPolicy: PresentedSettings['unknownPolicy'];
  /** Against other workspaces, where all wait to send. */
  readonly sendWeight: number;
}

export interface SettledWorkspace extends WorkspaceSettings {
  readonly id: string;
  readonly createdAt: Temporal.Instant;
  readonly updatedAt: Temporal.Instant;
  readonly revision: number;
}

/** As stored; what is missing has its default, so that a new setting needs no migration. */
const stored = z.object({
  postalAddress: z.string().nullable().catch(null),
  defaultCountry: z.string().nullable().catch(null),
  unknownPolicy: unknownPolicy.catch('hold'),
  sendWeight: z.number().positive().catch(1),
});

type Change = { readonly [Name in keyof WorkspaceSettings]?: WorkspaceSettings[Name] | undefined };

export interface Settings {
  get(tx: Tx): Promise<SettledWorkspace>;
  /** `check` sees the state the change is applied to, and may refuse it. */
  update(
    tx: Tx,
    origin: AuditOrigin,
    change: Change,
    check: (current: SettledWorkspace) => void,
  ): Promise<SettledWorkspace>;
}

export function createSettings({ audit, clock }: { readonly audit: Audit; readonly clock: Clock }): Settings {
  const read = async (tx: Tx, lock: 'lock' | 'look') => {
    const row = await store.findWorkspace(tx, lock);
    if (row === undefined) throw notFound('workspace');
    return settled(row);
  };
  return {
    get: (tx) => read(tx, 'look'),
    update: async (tx, origin, change, check) => {
      const current = await read(tx, 'lock');
      check(current);
      const before = pick(current);
      const after: WorkspaceSettings = { ...before, ...given(change) };
      const { name, ...settings } = after;
      const row = await store.updateWorkspace(tx, name, settings, clock.now());
      if (row === undefined) throw notFound('workspace');
      const target = { kind: 'workspace', id: tx.workspaceId };
      await audit.record(tx, { ...origin, action: 'workspace.settings-changed', target, before, after });
      return settled(row);
    },
  };
}

function pick(of: SettledWorkspace): WorkspaceSettings {
  const { name, postalAddress, defaultCountry, unknownPolicy, sendWeight } = of;
  return { name, postalAddress, defaultCountry, unknownPolicy, sendWeight };
}

function given(change: Change): Partial<WorkspaceSettings> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

function settled({ settings, ...row }: store.WorkspaceRow): SettledWorkspace {
  return { ...row, ...stored.parse(settings) };
}
