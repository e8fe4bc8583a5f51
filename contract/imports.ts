import { z } from 'zod';
import { attributeKey, attributeType } from './attributes.ts';
import { channel, endpoint, id, idParams, legalBasis, line, page, pageQuery, time } from './endpoint.ts';
import { topicKey } from './topics.ts';

const tag = 'Imports';

/** What a column becomes. */
export const importField = z
  .string()
  .max(80)
  .regex(
    /^(externalId|email|phone|push|locale|timeZone|country|ignore|attributes\.[a-z][a-z0-9_]{0,62})$/,
    'must be externalId, email, phone, push, locale, timeZone, country, ignore or attributes.<key>',
  )
  .refine((field) => field !== 'attributes.constructor' && field !== 'attributes.prototype', 'is a reserved name');

export const delimiter = z.enum([',', ';', '\t', '|']);
export const encoding = z.enum(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252']);

/** The `options` part of the multipart form (JSON). What is left out is detected or taken from the header. */
export const importOptions = z.strictObject({
  /** Column name as in the header -> field. */
  mapping: z
    .record(z.string().max(500), importField)
    .refine((given) => Object.keys(given).length <= 500, 'must have at most 500 columns')
    .optional(),
  /** For attributes that do not exist yet; otherwise the type is inferred. */
  attributeTypes: z.record(attributeKey, attributeType).optional(),
  /** For phone numbers written without a country code. */
  defaultCountry: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be a two-letter ISO 3166 code')
    .optional(),
  delimiter: delimiter.optional(),
  encoding: encoding.optional(),
  /** Judge every row, write none. */
  dryRun: z.boolean().optional(),
  /** Grants consent to every imported address of the channel that has not withdrawn it. */
  consent: z
    .strictObject({
      channel,
      topic: topicKey,
      basis: legalBasis,
      evidence: z.strictObject({ source: line(200), textVersion: line(100).optional(), at: time.optional() }),
    })
    .optional(),
});
export type ImportOptions = z.output<typeof importOptions>;

export const importState = z.enum(['running', 'done', 'failed', 'cancelled']);
export const contactImport = z.strictObject({
  id,
  state: importState,
  fileName: z.string(),
  dryRun: z.boolean(),
  bytesTotal: z.int().nonnegative(),
  bytesDone: z.int().nonnegative(),
  rowsRead: z.int().nonnegative(),
  created: z.int().nonnegative(),
  updated: z.int().nonnegative(),
  unchanged: z.int().nonnegative(),
  rejected: z.int().nonnegative(),
  /** Why it failed, in words. */
  failure: z.string().nullable(),
  requestedBy: z.string(),
  createdAt: time,
  startedAt: time.nullable(),
  endedAt: time.nullable(),
});
export type ContactImport = z.output<typeof contactImport>;

export const importContacts = endpoint({
  method: 'POST',
  path: '/contacts/import',
  permission: 'contacts:import',
  summary: 'Upload a CSV file of contacts: multipart `file` and `options` (JSON), or a text/csv body with defaults',
  tag,
  consumes: ['multipart/form-data', 'text/csv'],
  status: 202,
  response: z.strictObject({ id, state: importState }),
});

/** The first bytes of the file are enough: at most 1 MiB is looked at. */
export const previewImport = endpoint({
  method: 'POST',
  path: '/contacts/import/preview',
  permission: 'contacts:import',
  summary: 'What a file looks like: delimiter, encoding, columns with a suggested mapping, and its first rows',
  tag,
  consumes: ['multipart/form-data', 'text/csv'],
  status: 200,
  response: z.strictObject({
    delimiter,
    encoding,
    columns: z.array(
      z.strictObject({
        name: z.string(),
        field: importField,
        /** For a field that is an attribute. */
        type: attributeType.nullable(),
        /** How its cells write dates or numbers, when they prove it; `03/04/2025` alone does not, and stays text. */
        notation: z.enum(['day-first', 'month-first', 'decimal-comma']).nullable(),
        samples: z.array(z.string()),
      }),
    ),
    rows: z.array(z.array(z.string())),
    /** What should be looked at before importing, in words. */
    warnings: z.array(z.string()),
  }),
});

export const listImports = endpoint({
  method: 'GET',
  path: '/imports',
  permission: 'contacts:import',
  summary: 'Imports, newest first',
  tag,
  query: z.strictObject({ ...pageQuery, state: importState.optional() }),
  status: 200,
  response: page(contactImport),
});

export const getImport = endpoint({
  method: 'GET',
  path: '/imports/:id',
  permission: 'contacts:import',
  summary: 'How an import is going',
  tag,
  params: idParams,
  status: 200,
  response: contactImport,
});

export const cancelImport = endpoint({
  method: 'POST',
  path: '/imports/:id/cancel',
  permission: 'contacts:import',
  summary: 'Stop an import after the page it is at; what is in stays in',
  tag,
  params: idParams,
  status: 202,
  response: contactImport,
});

export const importErrors = endpoint({
  method: 'GET',
  path: '/imports/:id/errors',
  permission: 'contacts:import',
  summary: 'The refused rows as CSV: line, field, reason',
  tag,
  params: idParams,
  status: 200,
  produces: 'text/csv',
});

export const listRefusedRows = endpoint({
  method: 'GET',
  path: '/imports/:id/refused',
  permission: 'contacts:import',
  summary: 'The refused rows, a page at a time, in the order of the file',
  tag,
  params: idParams,
  query: z.strictObject({ ...pageQuery }),
  status: 200,
  response: page(
    z.strictObject({
      /** Of the file as it came; the header is line 1. */
      line: z.int().positive(),
      /** The columns at fault, by their names in the file; `row` where it is the whole. */
      field: z.string(),
      reason: z.string(),
    }),
  ),
});

export const importEndpoints = [
  importContacts,
  previewImport,
  listImports,
  getImport,
  cancelImport,
  importErrors,
  listRefusedRows,
] as const;
