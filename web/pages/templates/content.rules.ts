import type { ContentChannel, ContentSource, WhatsAppTemplateContent } from '../../../contract/template-content.ts';
import type { Template } from '../../../contract/templates.ts';
import type { Given } from '../../api.ts';
import type { Shown } from '../../ui/device.tsx';
import { readerBody, valuesIn, type Category, type Reader } from './draft.rules.ts';

type CreateBody = Given<'POST /templates'>['body'];
type ChangeBody = Given<'PATCH /templates/:id'>['body'];
type PreviewBody = Given<'POST /templates/preview'>['body'];
export type WhatsAppKind = WhatsAppTemplateContent['kind'];

/** What is in the editor of a template that is no e-mail: the source itself. */
export interface ContentDraft {
  readonly name: string;
  readonly category: Category;
  readonly locale: string;
  readonly source: ContentSource;
}

const hello = 'Hello {{ contact.first_name | default: "there" }}';

const blankSources: Readonly<Record<ContentChannel, ContentSource>> = {
  sms: { channel: 'sms', text: `${hello}, `, mediaUrls: [], trackLinks: true },
  whatsapp: {
    channel: 'whatsapp',
    content: { kind: 'template', name: '', language: 'en_US', body: [] },
    trackLinks: true,
  },
  push: {
    channel: 'push',
    title: hello,
    body: '',
    imageUrl: null,
    url: null,
    data: {},
    collapseKey: null,
    ttlSeconds: null,
    urgency: 'normal',
    trackLinks: true,
  },
  inapp: {
    channel: 'inapp',
    title: hello,
    body: '',
    imageUrl: null,
    url: null,
    data: {},
    expiresAfterSeconds: null,
    trackLinks: true,
  },
};

export function blankContent(channel: ContentChannel): ContentDraft {
  return { name: '', category: 'marketing', locale: 'en', source: blankSources[channel] };
}

/** A content of another kind; what has a place in it stays. */
export function contentOfKind(kind: WhatsAppKind, before: WhatsAppTemplateContent): WhatsAppTemplateContent {
  const body = 'body' in before && typeof before.body === 'string' ? before.body : '';
  const url = 'url' in before ? before.url : '';
  switch (kind) {
    case 'template':
      return { kind, name: '', language: 'en_US', body: [] };
    case 'text':
      return { kind, body };
    case 'buttons':
      return { kind, body, buttons: [{ id: 'yes', title: 'Yes' }] };
    case 'list':
      return { kind, body, label: 'Choose', sections: [{ title: '', rows: [{ id: 'one', title: 'One' }] }] };
    default:
      return { kind, url };
  }
}

export function contentFromTemplate({
  name,
  category,
  locale,
  source,
}: Pick<Template, 'name' | 'category' | 'locale' | 'source'>): ContentDraft {
  return { name, category, locale, source: source.channel === 'email' ? blankSources.sms : source };
}

const same = (a: unknown, b: unknown) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

/** The database keeps the keys of an object in an order of its own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)] as const),
  );
}

export function isSameContent(a: ContentDraft, b: ContentDraft): boolean {
  return same(a, b);
}

export function createContentBody({ name, category, locale, source }: ContentDraft): CreateBody {
  return { name: name.trim(), category, locale: locale.trim(), ...source };
}

/** Only what changed: content that is the same must not become a new version. */
export function changeContentBody(before: ContentDraft, after: ContentDraft): ChangeBody {
  const { channel: _, ...fields } = after.source;
  return {
    ...(before.name === after.name ? {} : { name: after.name.trim() }),
    ...(before.category === after.category ? {} : { category: after.category }),
    ...(before.locale === after.locale ? {} : { locale: after.locale.trim() }),
    ...(same(before.source, after.source) ? {} : fields),
  };
}

/** Everything a source says, one text a line: for what it reads, and for a look at an old version. */
export function wordsOf(source: ContentSource): string {
  const texts = (value: unknown): string[] => {
    if (typeof value === 'string') return [value];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, one]) => (key === 'channel' || key === 'kind' ? [] : texts(one)));
  };
  return texts(source).join('\n');
}

export function contentValues({ source }: ContentDraft): readonly string[] {
  return valuesIn(wordsOf(source));
}

/** Whether there is anything to show yet: a template at Meta is known by its name. */
export function hasContent({ source }: ContentDraft): boolean {
  return source.channel !== 'whatsapp' || source.content.kind !== 'template' || source.content.name.trim() !== '';
}

export function contentPreviewBody(draft: ContentDraft, reader: Reader): PreviewBody {
  return {
    category: draft.category,
    locale: draft.locale.trim() || 'en',
    ...draft.source,
    ...readerBody(reader, contentValues(draft)),
  };
}

/** What a person would see of it; of an approved template only the values are known here, its words are at the vendor's. */
export function shownOf(source: ContentSource): Shown {
  switch (source.channel) {
    case 'sms':
      return { text: source.text, pictures: source.mediaUrls };
    case 'push':
    case 'inapp':
      return {
        heading: source.title,
        text: source.body,
        ...(source.imageUrl === null ? {} : { pictures: [source.imageUrl] }),
        ...(source.url === null ? {} : { url: source.url }),
      };
    case 'whatsapp':
      return whatsAppShown(source.content);
  }
}

function whatsAppShown(content: WhatsAppTemplateContent): Shown {
  switch (content.kind) {
    case 'template': {
      const values = content.body.map((value, at) => `{{${at + 1}}} ${value}`);
      return {
        heading: `Template ${content.name} (${content.language})`,
        text: values.length === 0 ? 'No values' : values.join('\n'),
        ...(content.header !== undefined && content.header.kind !== 'text' ? { pictures: [content.header.url] } : {}),
        buttons: (content.buttons ?? []).map((one) => `Button ${one.index + 1}: ${one.value}`),
      };
    }
    case 'text':
      return { text: content.body };
    case 'buttons':
      return { ...framed(content), buttons: content.buttons.map((one) => one.title) };
    case 'list':
      return {
        ...framed(content),
        buttons: [content.label, ...content.sections.flatMap((one) => one.rows.map((row) => row.title))],
      };
    default:
      return { text: content.caption ?? '', pictures: [content.url] };
  }
}

function framed({ header, body, footer }: { header?: string; body: string; footer?: string }): Shown {
  return {
    text: body,
    ...(header === undefined ? {} : { heading: header }),
    ...(footer === undefined ? {} : { footer }),
  };
}
