import { z } from 'zod';
import { chainReport } from './actor.ts';
import { addressGiven } from './contacts.ts';
import { addressKind, channel, endpoint, id, legalBasis, line, page, pageQuery, time } from './endpoint.ts';
import { topicKey } from './topics.ts';

const tag = 'Consent';

/** By value, or by the id of an address that is known (the dashboard sees addresses masked). */
const addressRef = z.union([z.strictObject({ kind: addressKind, value: line(500) }), z.strictObject({ id })]);
/** In a path: an e-mail, a phone number in E.164, or the id of an address. */
const addressParams = z.strictObject({ address: line(500) });

export const consentState = z.enum(['granted', 'withdrawn', 'expired']);
export const consentAction = z.enum(['grant', 'withdraw', 'confirm', 'expire']);

export const evidenceGiven = z.strictObject({
  /** Where the person said it: a form, an event, a call. */
  source: line(200),
  textVersion: line(100).optional(),
  ip: z.union([z.ipv4(), z.ipv6()]).optional(),
  userAgent: line(1000).optional(),
  locale: line(35).optional(),
  /** When; not in the future. Now when left out. */
  at: time.optional(),
});

export const recordConsent = endpoint({
  method: 'POST',
  path: '/compliance/consent',
  permission: 'consent:write',
  summary: 'Record what a person said; an unknown address becomes a contact',
  tag,
  body: z.strictObject({
    address: addressRef,
    channel,
    topic: topicKey,
    action: z.enum(['grant', 'withdraw']),
    basis: legalBasis,
    evidence: evidenceGiven,
  }),
  status: 201,
  response: z.strictObject({ eventId: id, state: consentState }),
  idempotent: true,
});

const consentHistoryEntry = z.strictObject({
  eventId: id,
  seq: z.int().positive(),
  channel,
  topic: z.string(),
  action: consentAction,
  basis: legalBasis,
  /** `api`, `import`, `unsubscribe`, `preference-page`, `dashboard`, ... */
  source: z.string(),
  evidence: z.record(z.string(), z.unknown()),
  actor: z.string(),
  occurredAt: time,
  recordedAt: time,
});

export const getConsent = endpoint({
  method: 'GET',
  path: '/compliance/consent/:address',
  permission: 'consent:read',
  summary: 'What one address agreed to, now and over time',
  tag,
  params: addressParams,
  status: 200,
  response: z.strictObject({
    address: z.string(),
    contactId: id,
    consents: z.array(
      z.strictObject({ channel, topic: z.string(), state: consentState, basis: legalBasis, since: time, eventId: id }),
    ),
    history: z.array(consentHistoryEntry),
  }),
});

export const proveConsent = endpoint({
  method: 'GET',
  path: '/compliance/consent/:address/proof',
  permission: 'consent:read',
  summary: 'A signed proof for one address: its entries of the ledger with their links, to be kept or handed over',
  tag,
  params: addressParams,
  status: 200,
  response: z.strictObject({
    workspaceId: id,
    address: z.string(),
    generatedAt: time,
    entries: z.array(consentHistoryEntry.extend({ mac: z.string() })),
    head: z.strictObject({ seq: z.int().nonnegative(), mac: z.string() }),
    /** Over the canonical JSON (keys sorted, no spaces) of everything else here; `publicKey` is PEM. */
    signature: z.strictObject({
      algorithm: z.string(),
      publicKey: z.string(),
      value: z.string(),
      howToVerify: z.string(),
    }),
  }),
});

export const unsubscribe = endpoint({
  method: 'POST',
  path: '/compliance/unsubscribe',
  permission: 'consent:write',
  summary: 'Withdraw one topic for an address',
  tag,
  body: z.strictObject({ address: addressRef, channel, topic: topicKey, reason: line(300).optional() }),
  status: 201,
  response: z.strictObject({ eventId: id, state: consentState }),
  idempotent: true,
});

export const optOut = endpoint({
  method: 'POST',
  path: '/compliance/opt-out',
  permission: 'consent:write',
  summary: 'Withdraw every topic for an address and put it on the suppression list',
  tag,
  body: z.strictObject({ address: addressRef, reason: line(300).optional() }),
  status: 201,
  response: z.strictObject({ withdrawn: z.int().nonnegative(), suppressed: z.boolean() }),
  idempotent: true,
});

export const verifyConsent = endpoint({
  method: 'GET',
  path: '/compliance/verify',
  permission: 'consent:read',
  summary: 'Walk the chain of the consent ledger; names the first broken entry',
  tag,
  status: 200,
  response: chainReport,
});

export const suppressionReason = z.enum(['bounce', 'complaint', 'opt-out', 'manual', 'erased']);
/** The address itself is not kept: only its keyed hash. */
export const suppression = z.strictObject({
  id: z.string(),
  kind: addressKind,
  /** Only there; null: on every channel. */
  channel: channel.nullable(),
  reason: suppressionReason,
  createdAt: time,
});
export type Suppression = z.output<typeof suppression>;

export const listSuppressions = endpoint({
  method: 'GET',
  path: '/suppressions',
  permission: 'consent:read',
  summary: 'Addresses that are never written to, newest first; with `address`, whether that one is',
  tag,
  query: z.strictObject({
    ...pageQuery,
    reason: suppressionReason.optional(),
    kind: addressKind.optional(),
    address: line(500).optional(),
  }),
  status: 200,
  response: page(suppression),
});

export const createSuppression = endpoint({
  method: 'POST',
  path: '/suppressions',
  permission: 'consent:write',
  summary: 'Never write to an address again, known or not',
  tag,
  body: z.strictObject({ address: addressGiven }),
  status: 201,
  response: suppression,
  idempotent: true,
});

export const deleteSuppression = endpoint({
  method: 'DELETE',
  path: '/suppressions/:id',
  permission: 'consent:write',
  summary: 'Take an address off the list; an erased one stays',
  tag,
  params: z.strictObject({ id: z.string().regex(/^[a-z0-9:_-]{8,120}$/) }),
  status: 204,
});

export const consentEndpoints = [
  recordConsent,
  getConsent,
  proveConsent,
  unsubscribe,
  optOut,
  verifyConsent,
  listSuppressions,
  createSuppression,
  deleteSuppression,
] as const;
