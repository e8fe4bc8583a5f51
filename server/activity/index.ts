/**
 * The event log: what happened, to whom, in order.
 *
 * Owns: `event`, `event_cursor`, `event_epoch`. Promises: an event is written in the transaction of what it
 * tells of; a consumer sees each event exactly once, in an order in which a late commit is never skipped,
 * and its effects and its place in the log move in one transaction. Events are never changed or removed.
 * Never does: know what an event means, hold personal data (`data` carries ids, counts and codes).
 */
export { createActivity } from './activity.ts';
export type { Activity, Consumer } from './activity.ts';
export type { EventDraft, LoggedEvent, TimelinePage } from './store.ts';
