import type { Tx } from '../platform/db.ts';
import type { Caller } from '../platform/http.ts';
import type { AuditDraft, MessageDeps, SendPorts } from './ports.ts';

/** Who did it and from where, for the audit log. */
export interface ActedBy {
  readonly caller: Caller;
  readonly ip: string;
  readonly userAgent: string;
  readonly requestId: string;
}

export interface DeliveryRouteDeps {
  readonly messages: Omit<MessageDeps, 'record'>;
  readonly sending: SendPorts;
  readonly record: (tx: Tx, by: ActedBy, entry: AuditDraft) => Promise<void>;
  /** New work: the dispatcher of this process need not wait for its poll. */
  readonly wake: () => void;
  /** Spreads concurrent calls over the rows of the counts. */
  readonly shard: () => number;
}
