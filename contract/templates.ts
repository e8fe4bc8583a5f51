import { z } from 'zod';
import { actor } from './actor.ts';
import { attributesGiven } from './contacts.ts';
import { category, channel, endpoint, id, idParams, line, page, pageQuery, revision, time } from './endpoint.ts';
import {
  contentSource,
  inAppGiven,
  inAppSource,
  pushGiven,
  pushSource,
  smsGiven,
  smsSource,
  whatsAppGiven,
  whatsAppSource,
} from './template-content.ts';

const tag = 'Templates';
/** Above any mail that would be delivered unclipped (Gmail clips at 102 kB), far below what hurts. */
const markup = z.string().max(512_000);
/** Liquid is allowed in it; a line break never is (header injection). */
const subject = line(998);
/** The line an inbox shows after the subject; put hidden at the top of the HTML. */
const preheader = line(255);

/** What the author of an e-mail writes: `mjml` or `html`, never both; `text` is made from it unless given. */
export const emailSource = z.strictObject({
  channel: z.literal('email'),
  subject: z.string().nullable(),
  preheader: z.string().nullable(),
  mjml: z.string().nullable(),
  html: z.string().nullable(),
  text: z.string().nullable(),
});
export type EmailSource = z.output<typeof emailSource>;

/** What an author writes, by channel. */
export const templateSource = z.discriminatedUnion('channel', [
  emailSource,
  smsSource,
  whatsAppSource,
  pushSource,
  inAppSource,
]);
export type TemplateSource = z.output<typeof templateSource>;

export const templateStatus = z.enum(['ready', 'archived']);
/** Something the author should know: an `error` stops saving or sending, a `warning` does not. */
export const templateProblem = z.strictObject({
  severity: z.enum(['error', 'warning']),
  where: z
    .string()
    .describe(
      'The part: subject, preheader, mjml, html or text of an e-mail; else a place in the source, `content/body/0`.',
    ),
  line: z.int().positive().nullable(),
  message: z.string(),
});
export type TemplateProblem = z.output<typeof templateProblem>;

export const templateSummary = z.strictObject({
  id,
  name: z.string(),
  channel,
  category,
  locale: z.string(),
  /** The current one. */
  version: z.int().positive(),
  status: templateStatus,
  /** Of an e-mail; of the other channels what comes nearest to a title. */
  subject: z.string().nullable(),
  createdAt: time,
  updatedAt: time,
});
export const template = templateSummary.extend({
  source: templateSource,
  /** Paths it uses, e.g. `contact.first_name`, `variables.code`. */
  variables: z.array(z.string()),
  problems: z.array(templateProblem),
  revision,
});
export type Template = z.output<typeof template>;

const sourceGiven = {
  subject: subject.optional(),
  preheader: preheader.optional(),
  mjml: markup.optional(),
  html: markup.optional(),
  text: markup.optional(),
};

export const listTemplates = endpoint({
  method: 'GET',
  path: '/templates',
  permission: 'templates:read',
  summary: 'Templates, last changed first',
  tag,
  query: z.strictObject({
    ...pageQuery,
    q: line(100).optional(),
    channel: channel.optional(),
    category: category.optional(),
    locale: line(35).optional(),
    status: templateStatus.default('ready'),
  }),
  status: 200,
  response: page(templateSummary),
});

export const listTemplateStarters = endpoint({
  method: 'GET',
  path: '/templates/starters',
  permission: 'templates:read',
  summary: 'Finished designs to start from',
  tag,
  status: 200,
  response: z.strictObject({
    data: z.array(
      z.strictObject({
        key: z.string(),
        name: z.string(),
        description: z.string(),
        category,
        subject: z.string(),
        preheader: z.string(),
        mjml: z.string(),
      }),
    ),
  }),
});

const made = { name: line(100), category, locale: line(35) };

export const createTemplate = endpoint({
  method: 'POST',
  path: '/templates',
  permission: 'templates:write',
  summary: 'Make a template; it is compiled now, and refused with the place named if it cannot be',
  tag,
  body: z.discriminatedUnion('channel', [
    z.strictObject({ ...made, channel: z.literal('email'), ...sourceGiven }),
    z.strictObject({ ...made, channel: z.literal('sms'), ...smsGiven }),
    z.strictObject({ ...made, channel: z.literal('whatsapp'), ...whatsAppGiven }),
    z.strictObject({ ...made, channel: z.literal('push'), ...pushGiven }),
    z.strictObject({ ...made, channel: z.literal('inapp'), ...inAppGiven }),
  ]),
  status: 201,
  response: template,
  idempotent: true,
});

export const getTemplate = endpoint({
  method: 'GET',
  path: '/templates/:id',
  permission: 'templates:read',
  summary: 'A template with its current version',
  tag,
  params: idParams,
  status: 200,
  response: template,
});

export const updateTemplate = endpoint({
  method: 'PATCH',
  path: '/templates/:id',
  permission: 'templates:write',
  summary: 'Change a template; changed content becomes a new version, and what was sent keeps the old one',
  tag,
  params: idParams,
  body: z.strictObject({
    name: line(100).optional(),
    category: category.optional(),
    locale: line(35).optional(),
    subject: subject.nullable().optional(),
    preheader: preheader.nullable().optional(),
    /** Giving one of `mjml` and `html` clears the other. */
    mjml: markup.nullable().optional(),
    html: markup.nullable().optional(),
    text: markup.nullable().optional(),
    /** Of the other channels: fields of the template's own; those of another are refused. */
    content: whatsAppGiven.content.optional(),
    mediaUrls: smsGiven.mediaUrls,
    title: pushGiven.title.optional(),
    body: inAppGiven.body.optional(),
    imageUrl: pushGiven.imageUrl,
    url: pushGiven.url,
    data: pushGiven.data,
    collapseKey: pushGiven.collapseKey,
    ttlSeconds: pushGiven.ttlSeconds,
    urgency: pushGiven.urgency,
    expiresAfterSeconds: inAppGiven.expiresAfterSeconds,
    trackLinks: pushGiven.trackLinks,
    archived: z.boolean().optional(),
  }),
  status: 200,
  response: template,
});

export const deleteTemplate = endpoint({
  method: 'DELETE',
  path: '/templates/:id',
  permission: 'templates:write',
  summary: 'Archive a template; its versions stay for what was sent with them',
  tag,
  params: idParams,
  status: 204,
});

const templateVersion = z.strictObject({ version: z.int().positive(), createdAt: time, createdBy: actor });

export const listTemplateVersions = endpoint({
  method: 'GET',
  path: '/templates/:id/versions',
  permission: 'templates:read',
  summary: 'The versions of a template, newest first',
  tag,
  params: idParams,
  query: z.strictObject({ ...pageQuery }),
  status: 200,
  response: page(templateVersion),
});

export const getTemplateVersion = endpoint({
  method: 'GET',
  path: '/templates/:id/versions/:version',
  permission: 'templates:read',
  summary: 'One version, as it was written',
  tag,
  params: z.strictObject({ id, version: z.coerce.number().int().positive().max(2_147_483_647) }),
  status: 200,
  response: templateVersion.extend({ source: templateSource }),
});

/** Whom it is rendered for: a contact, or made-up attributes. */
const audienceGiven = {
  contactId: id.optional(),
  sample: attributesGiven.optional(),
  variables: z.record(z.string().max(100), z.unknown()).optional(),
};

/** With an `error` among the problems, the part it is in is null. */
const rendered = z.strictObject({
  subject: z.string().nullable(),
  html: z.string().nullable(),
  text: z.string().nullable(),
  /** Of the other channels: the source with every value filled in. */
  content: contentSource.nullable(),
  variables: z.array(z.string()),
  problems: z.array(templateProblem),
});
export type RenderedTemplate = z.output<typeof rendered>;

export const previewTemplate = endpoint({
  method: 'POST',
  path: '/templates/:id/preview',
  permission: 'templates:read',
  summary: 'A stored version as a contact (or a made-up one) would see it',
  tag,
  params: idParams,
  body: z.strictObject({ version: z.int().positive().optional(), ...audienceGiven }),
  status: 200,
  response: rendered,
});

const tried = { category, locale: line(35).default('en'), ...audienceGiven };

export const previewTemplateSource = endpoint({
  method: 'POST',
  path: '/templates/preview',
  permission: 'templates:read',
  summary: 'The same for source that is not saved; problems are answered, not refused',
  tag,
  body: z.discriminatedUnion('channel', [
    z.strictObject({ ...tried, channel: z.literal('email').optional(), ...sourceGiven }),
    z.strictObject({ ...tried, channel: z.literal('sms'), ...smsGiven }),
    z.strictObject({ ...tried, channel: z.literal('whatsapp'), ...whatsAppGiven }),
    z.strictObject({ ...tried, channel: z.literal('push'), ...pushGiven }),
    z.strictObject({ ...tried, channel: z.literal('inapp'), ...inAppGiven }),
  ]),
  status: 200,
  response: rendered,
});

export const testSendTemplate = endpoint({
  method: 'POST',
  path: '/templates/:id/test-send',
  permission: 'messages:send',
  summary: "Send one to an address of your own, through the channel's route",
  tag,
  params: idParams,
  body: z.strictObject({
    to: line(4000).describe(
      'An e-mail address, a phone number or a push address, as the channel has it; for in-app the id of a contact.',
    ),
    version: z.int().positive().optional(),
    ...audienceGiven,
  }),
  status: 202,
  response: z.strictObject({ messageId: id, state: z.string() }),
  idempotent: true,
});

export const templateEndpoints = [
  listTemplates,
  listTemplateStarters,
  createTemplate,
  getTemplate,
  updateTemplate,
  deleteTemplate,
  listTemplateVersions,
  getTemplateVersion,
  previewTemplate,
  previewTemplateSource,
  testSendTemplate,
] as const;
