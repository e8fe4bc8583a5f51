/**
 * May we write to this address, on which channel, about what; and the proof of it.
 *
 * Owns: topics, the consent ledger (`consent_event`, `consent_head`), what follows from it (`consent`), the
 * suppression list. Promises: the ledger only grows, and whoever changes it from outside is found by `verify`; what
 * counts does not depend on the order in which we heard of it; an import never overrides what a person said; erasing
 * a person leaves the chain whole. Never does: decide whether a message goes out (delivery's gate reads these tables),
 * hold an address in the clear.
 */
import './errors.ts';

export { createConsent } from './consent.ts';
export type { Consent, OptOut, PersonalAct, Preference } from './consent.ts';
export type { ConsentDraft, Recorded } from './ledger.ts';
export type { Evidence, LegalBasis } from './entry.rules.ts';
export type { AddressRef, GivenAddress, People, Person } from './people.ts';
export type { HashedAddress } from './suppression.rules.ts';
export type { SuppressionReason, Topic } from './store.ts';
export { consentRoutes } from './routes.ts';
