import './errors.ts';

/**
 * delivery: the send ledger and the way of a message through it: plan -> gate -> render -> lane -> hand-over -> settle.
 *
 * Owns the tables plan, message, batch, deferral, plan_count, plan_reason_count, engagement, lane, dead_letter.
 * Promises: one row per intended message, unique in its plan; the intent to hand over is committed before the first
 * byte leaves; after a crash what may have left is `unknown`, never sent again blindly; counts add up at every poll;
 * the gate decides on facts read in the moment of the hand-over.
 * Never: knows what a campaign is, keeps rendered content, sends on a guess.
 */
export { createDelivery } from './delivery.ts';
export { forgetOldDelivery } from './tidy.store.ts';
export type { Delivery, PlanStats } from './delivery.ts';
export type { Hit } from './engagement.store.ts';
export { decide, needsConsent } from './gate.rules.ts';
export type { Decision, GateFacts } from './gate.rules.ts';
export type { CandidateRow } from './ledger.store.ts';
export type { FallbackStep } from './fallback.rules.ts';
export { secondsFor } from './limit.rules.ts';
export type { Limits } from './limit.rules.ts';
export type { NewPlan, Planned, Recipient } from './plan.ts';
export type { PlanRow, SenderOverride } from './plan.store.ts';
export type {
  Composer,
  DeliveryDeps,
  LaneAccount,
  LetterWork,
  MessageDeps,
  SendableTemplate,
  SendPorts,
} from './ports.ts';
export { deliveryRoutes } from './routes.ts';
export type { ActedBy } from './route-deps.ts';
export type { UnknownPolicy } from './settle.rules.ts';
export { mostInDoubt } from './worker.ts';
export { addressOrder } from './recipients.store.ts';
export type { Needs, Objects, Reach } from './needs.ts';
