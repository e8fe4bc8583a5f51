import type { OutgoingInApp } from '../port.ts';

/** What is sealed of a message. */
export interface InAppContent {
  readonly title: string;
  readonly body: string;
  readonly url: string | null;
  readonly imageUrl: string | null;
  readonly data: Readonly<Record<string, string>>;
}

const most = { title: 500, body: 20_000, url: 2_000, data: 20_000 };

/** Pure: a problem with a message, for people; undefined when it can be shown. */
export function contentProblem({ title, body, url, imageUrl, data, expiresAt }: OutgoingInApp): string | undefined {
  if (title.length > most.title) return `the title is longer than ${most.title} characters`;
  if (body.length > most.body) return `the text is longer than ${most.body} characters`;
  if (url !== undefined && !isLink(url)) return 'the link is neither http(s) nor a path of the app';
  if (imageUrl !== undefined && !isPicture(imageUrl)) return 'the picture is not at an https address';
  if (JSON.stringify(data ?? {}).length > most.data) return `the data is longer than ${most.data} characters`;
  if (expiresAt !== undefined && !isTime(expiresAt)) return 'the expiry is no time';
  return undefined;
}

/** Pure: no script, no file, no other scheme; `//host` is no path. */
export function isLink(url: string): boolean {
  if (url.length > most.url) return false;
  // eslint-disable-next-line no-control-regex -- browsers drop these before they read the scheme
  if (/[\u0000-\u0020\u007f\\]/.test(url)) return false;
  if (url.startsWith('/')) return !url.startsWith('//');
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}

function isPicture(url: string): boolean {
  return isLink(url) && /^https:\/\//i.test(url);
}

function isTime(text: string): boolean {
  try {
    Temporal.Instant.from(text);
    return true;
  } catch {
    return false;
  }
}

/** Pure. */
export function contentOf({ title, body, url, imageUrl, data }: OutgoingInApp): InAppContent {
  return { title, body, url: url ?? null, imageUrl: imageUrl ?? null, data: data ?? {} };
}
