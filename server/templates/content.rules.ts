import type { ContentSource, WhatsAppTemplateContent } from '../../contract/template-content.ts';

/**
 * What kind of text stands in a place of a message that is no e-mail.
 *
 * - `text`: several lines; web addresses in it are links
 * - `value`: the same on one line: what fills a gap in a template at the vendor's
 * - `line`: one line
 * - `asset`: a web address that the vendor fetches: checked, never counted
 * - `link`: a web address that a tap leads to
 */
export type PartKind = 'text' | 'value' | 'line' | 'asset' | 'link';

export interface Part {
  /** Below the source, as a problem names it: `content/body/0`. */
  readonly path: string;
  readonly kind: PartKind;
  readonly source: string;
}

type Given = readonly (Part | undefined)[];

const part = (path: string, kind: PartKind, source: string | null | undefined): Part | undefined =>
  source === null || source === undefined ? undefined : { path, kind, source };

/** Pure: every place of a source that holds Liquid, in the order in which people read it. */
export function partsOf(source: ContentSource): readonly Part[] {
  return givenParts(source).filter((one) => one !== undefined);
}

function givenParts(source: ContentSource): Given {
  switch (source.channel) {
    case 'sms':
      return [
        part('text', 'text', source.text),
        ...source.mediaUrls.map((url, at) => part(`mediaUrls/${at}`, 'asset', url)),
      ];
    case 'whatsapp':
      return whatsAppParts(source.content);
    case 'push':
      return [...noticeParts(source), part('collapseKey', 'line', source.collapseKey)];
    case 'inapp':
      return noticeParts(source);
  }
}

function noticeParts(source: Extract<ContentSource, { channel: 'push' | 'inapp' }>): Given {
  return [
    part('title', 'line', source.title),
    part('body', 'text', source.body),
    part('imageUrl', 'asset', source.imageUrl),
    part('url', 'link', source.url),
    ...Object.entries(source.data).map(([key, value]) => part(`data/${key}`, 'line', value)),
  ];
}

function whatsAppParts(content: WhatsAppTemplateContent): Given {
  switch (content.kind) {
    case 'template':
      return templateParts(content);
    case 'text':
      return [part('content/body', 'text', content.body)];
    case 'buttons':
      return [
        ...frameParts(content),
        ...content.buttons.flatMap((one, at) => [
          part(`content/buttons/${at}/id`, 'line', one.id),
          part(`content/buttons/${at}/title`, 'line', one.title),
        ]),
      ];
    case 'list':
      return [...frameParts(content), part('content/label', 'line', content.label), ...listParts(content.sections)];
    default:
      return [
        part('content/url', 'asset', content.url),
        part('content/caption', 'text', content.caption),
        part('content/fileName', 'line', content.fileName),
      ];
  }
}

function frameParts(frame: { body: string; header?: string; footer?: string }): Given {
  return [
    part('content/header', 'line', frame.header),
    part('content/body', 'text', frame.body),
    part('content/footer', 'line', frame.footer),
  ];
}

function listParts(sections: Extract<WhatsAppTemplateContent, { kind: 'list' }>['sections']): Given {
  return sections.flatMap((section, at) => [
    part(`content/sections/${at}/title`, 'line', section.title),
    ...section.rows.flatMap((row, place) => {
      const path = `content/sections/${at}/rows/${place}`;
      return [
        part(`${path}/id`, 'line', row.id),
        part(`${path}/title`, 'line', row.title),
        part(`${path}/description`, 'line', row.description),
      ];
    }),
  ]);
}

function templateParts({ header, body, buttons }: Extract<WhatsAppTemplateContent, { kind: 'template' }>): Given {
  const head: Given =
    header === undefined
      ? []
      : header.kind === 'text'
        ? header.values.map((value, at) => part(`content/header/values/${at}`, 'line', value))
        : [part('content/header/url', 'asset', header.url), part('content/header/fileName', 'line', header.fileName)];
  return [
    ...head,
    ...body.map((value, at) => part(`content/body/${at}`, 'value', value)),
    ...(buttons ?? []).map((one, at) => part(`content/buttons/${at}/value`, 'line', one.value)),
  ];
}

/** Pure: the source with other texts in its places; what no text is given for stays. */
export function fillContent(source: ContentSource, texts: ReadonlyMap<string, string>): ContentSource {
  const fill = (value: unknown, path: string): unknown => {
    if (typeof value === 'string') return texts.get(path) ?? value;
    if (Array.isArray(value)) return value.map((one, at) => fill(one, `${path}/${at}`));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, fill(one, path === '' ? key : `${path}/${key}`)]),
    );
  };
  // Only texts change, so the shape is the source's own.
  return fill(source, '') as ContentSource;
}

/** Pure: a line for lists. */
export function titleOf(source: ContentSource): string {
  switch (source.channel) {
    case 'sms':
      return source.text.slice(0, 200);
    case 'push':
    case 'inapp':
      return source.title;
    case 'whatsapp': {
      const { content } = source;
      if (content.kind === 'template') return content.name;
      return ('body' in content ? content.body : (content.caption ?? content.kind)).slice(0, 200);
    }
  }
}
