/**
 * People: who they are, where they are reached, what is known of them, and how files of them come in and go out.
 *
 * Owns: `contact`, `address`, `attribute`, `contact_import`, `import_rejection`. Promises: an address is kept once
 * per workspace, in its one form, sealed under its contact's own key, and leaves masked unless it was asked for with
 * permission and written to the audit; a file goes in page by page, each page whole or not at all, and the same file
 * again changes nothing; two people are never made one by a guess. Never does: decide whether somebody may be written
 * to (that is consent), hold an address or a name in the clear outside the row's attributes, delete a row of a ledger.
 */
export { createAudience } from './audience.ts';
export type { Audience, AudienceDeps } from './audience.ts';
export { audienceRoutes } from './routes.ts';
export type { AudienceRoutesDeps } from './routes.ts';
export type { AskedConsent, AudiencePorts, ConsentFilter, Erasure, ImportPage } from './ports.ts';
export type { TouchedAddress } from './upsert.ts';
export type { ContactVariables, HashedAddress, Person, PersonRef } from './people.ts';
export { contactVariables } from './people.ts';
export { maskAddress } from './mask.rules.ts';
export type { AddressKind } from './address.rules.ts';
