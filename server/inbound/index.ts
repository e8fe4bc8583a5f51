import './errors.ts';

/**
 * The wire talks back: opens, clicks, unsubscribes and preferences, over links that prove themselves; and what vendors
 * tell about messages, and people write to us.
 *
 * Owns the tables callback, callback_mark, inbound_message; what happened goes to the event log, what a person wants to
 * consent, what became of a message to delivery. Promises: an event, and a vendor's callback, is durable before the
 * answer; a withdrawal counts for the next hand-over; a GET never unsubscribes; a link leads to an address of the
 * template version and nowhere else; a machine's visit is kept, and marked as such; a forged token costs no look-up;
 * a callback is judged on its raw bytes, and each of its facts counts once, in whatever order they come. Never does: set
 * a cookie, load anything from elsewhere, believe an unsigned word.
 */
export { createCallbackDesk } from './callback-desk.ts';
export type { CallbackDesk, CallbackDeskDeps } from './callback-desk.ts';
export { forgetMarks } from './callback.store.ts';
export { openMailDoor } from './mail-door.ts';
export type { MailDoor } from './mail-door.ts';
export { createInbound } from './inbound.ts';
export type { Inbound, InboundDeps } from './inbound.ts';
export type { MessageFacts } from './store.ts';
export { inboundRoutes } from './routes.ts';
