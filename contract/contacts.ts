import { z } from 'zod';
import { attributeKey } from './attributes.ts';
import { addressKind, channel, endpoint, id, idParams, line, page, pageQuery, revision, time } from './endpoint.ts';
import { topicKey } from './topics.ts';

const tag = 'Contacts';

/**
 * As people write it; the server normalises (IDN, E.164) or refuses, naming the field. A line break at its end is one inside
 * it: nothing is trimmed here. A push address names its platform: `fcm:<token>`, `apns:<token>`, `webpush:<subscription as
 * JSON>` (push-address.ts), which is why it may be long.
 */
export const addressGiven = z.strictObject({
  kind: addressKind,
  value: z
    .string()
    .min(1)
    .max(2500)
    // eslint-disable-next-line no-control-regex -- control characters are exactly what is refused
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain line breaks or other control characters'),
});
export const addressState = z.enum(['ok', 'bounced', 'complained', 'invalid']);

/** An address as answers show it: masked. */
export const address = z.strictObject({
  id,
  kind: addressKind,
  /** `m•••@example.com`; the whole value only through reveal. */
  masked: z.string(),
  position: z.int().nonnegative(),
  state: addressState,
  stateAt: time.nullable(),
  domain: z.string().nullable(),
  country: z.string().nullable(),
  lineType: z.string().nullable(),
});
export type Address = z.output<typeof address>;

/** Dates are `YYYY-MM-DD`; null removes the attribute. */
export const attributeValue = z.union([
  z.string().max(5000),
  z.number(),
  z.boolean(),
  z.array(z.string().max(500)).max(100),
  z.null(),
]);
export const attributesGiven = z
  .record(attributeKey, attributeValue)
  .refine((given) => Object.keys(given).length <= 200, 'must have at most 200 attributes');

const country = z.string().regex(/^[A-Z]{2}$/, 'must be a two-letter ISO 3166 code');
/** BCP 47 and IANA names; checked against the real lists by the server. */
const profile = {
  externalId: line(200),
  locale: line(35),
  timeZone: line(64),
  country,
};

export const contact = z.strictObject({
  id,
  externalId: z.string().nullable(),
  addresses: z.array(address),
  attributes: z.record(z.string(), attributeValue),
  locale: z.string().nullable(),
  timeZone: z.string().nullable(),
  country: z.string().nullable(),
  createdAt: time,
  updatedAt: time,
  revision,
});
export type Contact = z.output<typeof contact>;

export const contactGiven = z.strictObject({
  externalId: profile.externalId.optional(),
  addresses: z.array(addressGiven).max(20).default([]),
  attributes: attributesGiven.optional(),
  locale: profile.locale.optional(),
  timeZone: profile.timeZone.optional(),
  country: profile.country.optional(),
});

const contactFilters = {
  /** A whole address (e-mail or phone), an external id or an id: addresses are sealed, so parts cannot be searched. */
  q: line(500).optional(),
  domain: line(253).optional(),
  country: country.optional(),
  locale: line(35).optional(),
  addressState: addressState.optional(),
  topic: topicKey.optional(),
  /** With `topic`: what the contact said to it. */
  consent: z.enum(['granted', 'withdrawn', 'expired', 'none']).optional(),
};

export const listContacts = endpoint({
  method: 'GET',
  path: '/contacts',
  permission: 'contacts:read',
  summary: 'Contacts, newest first unless sorted otherwise',
  tag,
  query: z.strictObject({
    ...pageQuery,
    ...contactFilters,
    sort: z.enum(['createdAt', '-createdAt']).default('-createdAt'),
  }),
  status: 200,
  response: page(contact),
});

export const createContact = endpoint({
  method: 'POST',
  path: '/contacts',
  permission: 'contacts:write',
  summary: 'Make a contact; an address or external id that another contact has is refused',
  tag,
  body: contactGiven,
  status: 201,
  response: contact,
  idempotent: true,
});

export const getContact = endpoint({
  method: 'GET',
  path: '/contacts/:id',
  permission: 'contacts:read',
  summary: 'One contact; addresses masked',
  tag,
  params: idParams,
  status: 200,
  response: contact,
});

export const updateContact = endpoint({
  method: 'PATCH',
  path: '/contacts/:id',
  permission: 'contacts:write',
  summary: 'Change what is given; attributes are merged (null removes), addresses are the whole new list in order',
  tag,
  params: idParams,
  body: z.strictObject({
    externalId: profile.externalId.nullable().optional(),
    /** `{id}` keeps one that exists (its value is masked to most callers), `{kind, value}` adds one. */
    addresses: z
      .array(z.union([z.strictObject({ id }), addressGiven]))
      .max(20)
      .optional(),
    attributes: attributesGiven.optional(),
    locale: profile.locale.nullable().optional(),
    timeZone: profile.timeZone.nullable().optional(),
    country: profile.country.nullable().optional(),
  }),
  status: 200,
  response: contact,
});

export const deleteContact = endpoint({
  method: 'DELETE',
  path: '/contacts/:id',
  permission: 'contacts:erase',
  summary: 'Erase a contact for good: key and addresses are destroyed, a keyed hash stays on the suppression list',
  tag,
  params: idParams,
  status: 204,
});

export const batchOutcome = z.strictObject({
  index: z.int().nonnegative(),
  outcome: z.enum(['created', 'updated', 'unchanged', 'rejected']),
  id: id.optional(),
  errors: z.array(z.strictObject({ pointer: z.string(), message: z.string() })).optional(),
});

export const batchContacts = endpoint({
  method: 'POST',
  path: '/contacts/batch',
  permission: 'contacts:write',
  summary: 'Create or update up to 500 contacts, matched by external id, then by address; each row is judged alone',
  tag,
  body: z.strictObject({ contacts: z.array(contactGiven).min(1).max(500) }),
  status: 200,
  response: z.strictObject({
    created: z.int().nonnegative(),
    updated: z.int().nonnegative(),
    unchanged: z.int().nonnegative(),
    rejected: z.int().nonnegative(),
    data: z.array(batchOutcome),
  }),
  idempotent: true,
});

export const timelineEntry = z.strictObject({
  id,
  at: time,
  /** The event's kind, e.g. `contact.created`, `consent.granted`, `message.accepted`, `message.opened`. */
  kind: z.string(),
  messageId: id.nullable(),
  campaignId: id.nullable(),
  data: z.record(z.string(), z.unknown()),
});
export type TimelineEntry = z.output<typeof timelineEntry>;

export const contactTimeline = endpoint({
  method: 'GET',
  path: '/contacts/:id/timeline',
  permission: 'contacts:read',
  summary: 'Everything that happened with a contact, newest first',
  tag,
  params: idParams,
  query: z.strictObject({ ...pageQuery }),
  status: 200,
  response: page(timelineEntry),
});

export const revealContact = endpoint({
  method: 'POST',
  path: '/contacts/:id/reveal',
  permission: 'contacts:reveal',
  summary: 'The whole addresses of one contact; written to the audit log with the reason',
  tag,
  params: idParams,
  body: z.strictObject({ reason: line(300) }),
  status: 200,
  response: z.strictObject({ addresses: z.array(z.strictObject({ id, kind: addressKind, value: z.string() })) }),
});

export const exportContacts = endpoint({
  method: 'GET',
  path: '/contacts/export',
  permission: 'contacts:export',
  summary: 'Contacts as CSV, streamed; cells that a spreadsheet would run as formulas are made harmless; audited',
  tag,
  query: z.strictObject(contactFilters),
  status: 200,
  produces: 'text/csv',
});

/** What a contact said, per address, channel and topic; here because it hangs off the contact's path. */
export const contactConsent = z.strictObject({
  address: z.strictObject({ id, kind: addressKind, masked: z.string() }),
  channel,
  topic: z.strictObject({ id, key: z.string(), name: z.string() }),
  state: z.enum(['granted', 'withdrawn', 'expired']),
  basis: z.string(),
  since: time,
  eventId: id,
});

export const contactConsents = endpoint({
  method: 'GET',
  path: '/contacts/:id/consents',
  permission: 'consent:read',
  summary: 'What a contact agreed to and withdrew, per address and topic',
  tag,
  params: idParams,
  status: 200,
  response: z.strictObject({ data: z.array(contactConsent) }),
});

export const contactEndpoints = [
  listContacts,
  createContact,
  exportContacts,
  batchContacts,
  getContact,
  updateContact,
  deleteContact,
  contactTimeline,
  revealContact,
  contactConsents,
] as const;
