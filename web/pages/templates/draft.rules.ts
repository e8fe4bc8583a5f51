import type { EmailSource, Template } from '../../../contract/templates.ts';
import type { Answer, Given } from '../../api.ts';

export type Starter = Answer<'GET /templates/starters'>['data'][number];
export type Problem = Template['problems'][number];
export type Category = Template['category'];
type CreateBody = Extract<Given<'POST /templates'>['body'], { channel: 'email' }>;
type ChangeBody = Given<'PATCH /templates/:id'>['body'];
type PreviewBody = Given<'POST /templates/preview'>['body'];

export const categories: readonly { value: Category; label: string; meaning: string }[] = [
  {
    value: 'marketing',
    label: 'Marketing',
    meaning: 'News and offers: only to people who agreed, always with an unsubscribe link.',
  },
  {
    value: 'transactional',
    label: 'Transactional',
    meaning: 'About something the person did, such as an order: needs no consent to a topic.',
  },
  { value: 'otp', label: 'One-time code', meaning: 'Sign-in codes: go out before everything else.' },
  { value: 'utility', label: 'Utility', meaning: 'Reminders and changes of an existing agreement.' },
];

export function categoryName(category: string): string {
  return categories.find((candidate) => candidate.value === category)?.label ?? category;
}

/** What is in the editor. Empty strings are what the server calls null. */
export interface Draft {
  readonly name: string;
  readonly category: Category;
  readonly locale: string;
  readonly subject: string;
  readonly preheader: string;
  readonly format: 'mjml' | 'html';
  readonly markup: string;
  /** The plain-text part is written by hand instead of being made from the HTML. */
  readonly hasOwnText: boolean;
  readonly text: string;
}

export const blankDraft: Draft = {
  name: '',
  category: 'marketing',
  locale: 'en',
  subject: '',
  preheader: '',
  format: 'mjml',
  markup:
    '<mjml>\n  <mj-body>\n    <mj-section>\n      <mj-column>\n        <mj-text>\n' +
    '          Hello {{ contact.first_name | default: "there" }},\n' +
    '        </mj-text>\n      </mj-column>\n    </mj-section>\n  </mj-body>\n</mjml>\n',
  hasOwnText: false,
  text: '',
};

export function draftFromStarter(starter: Starter): Draft {
  return {
    ...blankDraft,
    name: starter.name,
    category: starter.category,
    subject: starter.subject,
    preheader: starter.preheader,
    markup: starter.mjml,
  };
}

export function draftFromSource(source: EmailSource, rest: Pick<Draft, 'name' | 'category' | 'locale'>): Draft {
  return {
    name: rest.name,
    category: rest.category,
    locale: rest.locale,
    subject: source.subject ?? '',
    preheader: source.preheader ?? '',
    format: source.mjml === null && source.html !== null ? 'html' : 'mjml',
    markup: source.mjml ?? source.html ?? '',
    hasOwnText: source.text !== null,
    text: source.text ?? '',
  };
}

export function draftFromTemplate(template: Pick<Template, 'name' | 'category' | 'locale' | 'source'>): Draft {
  return template.source.channel === 'email' ? draftFromSource(template.source, template) : blankDraft;
}

export function isSameDraft(a: Draft, b: Draft): boolean {
  const parts = Object.keys(blankDraft) as (keyof Draft)[];
  // A text that is switched off is not sent, so what is left in its field makes no difference.
  return parts.every((part) => a[part] === b[part] || (part === 'text' && !a.hasOwnText));
}

const markupOf = (draft: Draft) => (draft.format === 'mjml' ? { mjml: draft.markup } : { html: draft.markup });

export function createBody(draft: Draft): CreateBody {
  return {
    name: draft.name.trim(),
    channel: 'email',
    category: draft.category,
    locale: draft.locale.trim(),
    ...(draft.subject.trim() ? { subject: draft.subject.trim() } : {}),
    ...(draft.preheader.trim() ? { preheader: draft.preheader.trim() } : {}),
    ...(draft.markup ? markupOf(draft) : {}),
    ...(draft.hasOwnText && draft.text ? { text: draft.text } : {}),
  };
}

/** Only what changed: content that is the same must not become a new version. */
export function changeBody(before: Draft, after: Draft): ChangeBody {
  const text = (draft: Draft) => (draft.hasOwnText && draft.text ? draft.text : null);
  return {
    ...(before.name === after.name ? {} : { name: after.name.trim() }),
    ...(before.category === after.category ? {} : { category: after.category }),
    ...(before.locale === after.locale ? {} : { locale: after.locale.trim() }),
    ...(before.subject === after.subject ? {} : { subject: after.subject.trim() || null }),
    ...(before.preheader === after.preheader ? {} : { preheader: after.preheader.trim() || null }),
    ...(before.markup === after.markup && before.format === after.format ? {} : markupOf(after)),
    ...(text(before) === text(after) ? {} : { text: text(after) }),
  };
}

/** Whom a preview or a test is filled in for. */
export interface Reader {
  readonly contactId: string | undefined;
  /** Path (`contact.city`, `variables.code`) -> value, typed by hand over the made-up one. */
  readonly values: Readonly<Record<string, string>>;
}

export const samplePerson: Reader = { contactId: undefined, values: {} };

const made: Readonly<Record<string, string>> = {
  first_name: 'Ada',
  last_name: 'Lovelace',
  name: 'Ada Lovelace',
  full_name: 'Ada Lovelace',
  company: 'Analytical Engines',
  city: 'London',
  country: 'GB',
  email: 'ada@example.com',
  phone: '+44 20 7946 0000',
  locale: 'en',
  code: '481 516',
};

/** What the contact and the caller are asked for; addresses and language come from the contact itself. */
const path = /\b(contact|variables)\.([a-z][a-z0-9_]{0,62})/g;
const fromProfile = new Set(['contact.email', 'contact.locale']);

export function valuesNeeded(draft: Draft): readonly string[] {
  return valuesIn([draft.subject, draft.preheader, draft.markup, draft.hasOwnText ? draft.text : ''].join('\n'));
}

/** The paths that some Liquid reads. */
export function valuesIn(written: string): readonly string[] {
  const found = new Set<string>();
  for (const tag of written.match(/\{\{.*?\}\}|\{%.*?%\}/gs) ?? []) {
    for (const match of tag.matchAll(path)) found.add(match[0]);
  }
  return [...found].filter((name) => !fromProfile.has(name)).sort();
}

/** Where the value of a path comes from, in words. */
export function variableWords(name: string, attributeLabels: ReadonlyMap<string, string>): string {
  const [root, key = ''] = name.split('.');
  if (root === 'variables') return 'given by whoever sends it; a campaign gives none';
  if (root !== 'contact' || fromProfile.has(name)) return '';
  const label = attributeLabels.get(key);
  return label === undefined ? 'no contact has this attribute yet' : `the contact’s “${label}”`;
}

export function madeUpValue(name: string): string {
  const key = name.slice(name.indexOf('.') + 1);
  return made[key] ?? key.replaceAll('_', ' ');
}

/**
 * The part of a preview's or test's body that says for whom. What is not typed by hand the server makes up, lists
 * included; once something is typed, all of that side is sent, since the server takes it as a whole.
 */
export function readerBody(reader: Reader, needed: readonly string[]) {
  const typed = (prefix: string) => needed.some((name) => name.startsWith(prefix) && reader.values[name] !== undefined);
  const pick = (prefix: string) =>
    Object.fromEntries(
      needed
        .filter((name) => name.startsWith(prefix))
        .map((name) => [name.slice(prefix.length), reader.values[name] ?? madeUpValue(name)] as const)
        // An emptied value is left out, to see what the template does without it.
        .filter(([, value]) => value !== ''),
    );
  return {
    ...(reader.contactId ? { contactId: reader.contactId } : typed('contact.') ? { sample: pick('contact.') } : {}),
    ...(typed('variables.')
      ? { variables: Object.fromEntries(Object.entries(pick('variables.')).map(parsedJson)) }
      : {}),
  };
}

/** `[{"name": "Cup"}]` typed by hand is a list; anything else is text. */
function parsedJson([key, value]: [string, string]): [string, unknown] {
  if (!/^\s*[[{]/.test(value)) return [key, value];
  try {
    return [key, JSON.parse(value) as unknown];
  } catch {
    return [key, value];
  }
}

export function previewBody(draft: Draft, reader: Reader): PreviewBody {
  const { subject, preheader, mjml, html, text } = createBody(draft);
  return {
    category: draft.category,
    locale: draft.locale.trim() || 'en',
    ...(subject === undefined ? {} : { subject }),
    ...(preheader === undefined ? {} : { preheader }),
    ...(mjml === undefined ? {} : { mjml }),
    ...(html === undefined ? {} : { html }),
    ...(text === undefined ? {} : { text }),
    ...readerBody(reader, valuesNeeded(draft)),
  };
}
