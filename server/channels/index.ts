/**
 * Channels own the way out: accounts at providers, their sealed secrets, the order in which a channel tries them, and
 * the wire protocols themselves.
 *
 * They promise that handing a message over ends in exactly one outcome (`SendResult`), that `unknown` is said whenever,
 * and only when, the whole message may have left without an answer, and that secrets and addresses reach neither logs
 * nor answers. They connect only where the operator lets them.
 *
 * They never decide whether a message may be sent, count limits, retry by themselves what may have left, or write to
 * the ledger.
 */
export type { AccountLimits, HealthFacts, SenderIdentity } from './account.rules.ts';
export { createChannels } from './channels.ts';
export { readLetter } from './email/bounce-mail.ts';
export { classify } from './email/bounce.rules.ts';
export type { Letter, Returned } from './email/bounce.rules.ts';
export type { AccountReceipts, Channels, ChannelsDeps, LaneAccount } from './channels.ts';
export { errorTableOf, meaningOf } from './meanings.ts';
export { createInbox } from './inapp/inbox.ts';
export type { Inbox } from './inapp/inbox.ts';
export { answerPreflights, inAppRoutes } from './inapp/routes.ts';
export type { InAppRoutesDeps } from './inapp/routes.ts';
export type {
  AccountNews,
  BeginSignal,
  Callback,
  Channel,
  Dns,
  ErrorCategory,
  Found,
  InboundMessage,
  Mailbox,
  Outgoing,
  OutgoingEmail,
  OutgoingOf,
  OutgoingWhatsApp,
  ReadinessItem,
  Receipt,
  ReceiptKind,
  SandboxAddress,
  Sender,
  SendResult,
  Told,
  Verdict,
} from './port.ts';
export type { ChannelRoutesDeps } from './routes.ts';
export type { AccountRow } from './store.ts';
export { whatsAppCategory } from './whatsapp/category.rules.ts';
export { contentAllowed, windowOf } from './whatsapp/window.rules.ts';
