/**
 * The wire talks back: opens, clicks, unsubscribes and preferences, over links that prove themselves.
 *
 * Owns no table: what happened goes to the event log, what a person wants to consent. Promises: an event is durable
 * before the answer; a withdrawal counts for the next hand-over; a GET never unsubscribes; a link leads to an address
 * of the template version and nowhere else; a machine's visit is kept, and marked as such; a forged token costs no
 * look-up. Never does: set a cookie, load anything from elsewhere, ask who is calling beyond the token.
 */
export { createInbound } from './inbound.ts';
export type { Inbound, InboundDeps } from './inbound.ts';
export type { MessageFacts } from './store.ts';
export { inboundRoutes } from './routes.ts';
