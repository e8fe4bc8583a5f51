import { Parser } from 'htmlparser2';
import PostalMime from 'postal-mime';
import type { Letter } from './bounce.rules.ts';

const mostHtml = 100_000;
const decoder = new TextDecoder('utf-8');

function textOf(content: string | ArrayBuffer | Uint8Array): string {
  return typeof content === 'string' ? content : decoder.decode(content);
}

const silent = new Set(['style', 'script', 'head', 'title']);
const blocks = new Set(['br', 'p', 'div', 'tr', 'li', 'table', 'blockquote', 'h1', 'h2', 'h3']);

/** Enough to see lines in mail that was written for eyes; event by event, so that nesting costs nothing. */
function wordsOf(html: string): string {
  const pieces: string[] = [];
  let muted = 0;
  const parser = new Parser({
    onopentag: (name) => {
      if (silent.has(name)) muted += 1;
      if (blocks.has(name)) pieces.push('\n');
    },
    onclosetag: (name) => {
      if (silent.has(name)) muted -= 1;
      if (blocks.has(name)) pieces.push('\n');
    },
    ontext: (text) => {
      if (muted === 0) pieces.push(text);
    },
  });
  parser.end(html);
  return pieces.join('');
}

/** A mail as the rules read it. Bounded by whoever took it in: parts are decoded in memory. */
export async function readLetter(raw: Uint8Array): Promise<Letter> {
  const mail = await PostalMime.parse(raw, { forceRfc822Attachments: true, maxNestingDepth: 20 });
  const headers = new Map<string, string>();
  for (const { key, value } of mail.headers) if (!headers.has(key)) headers.set(key, value);
  const parts = (type: string) =>
    mail.attachments.filter((part) => part.mimeType === type).map((part) => textOf(part.content));
  const text = mail.text ?? '';
  return {
    headers,
    from: mail.from?.address ?? '',
    subject: mail.subject ?? '',
    text: text.trim() === '' ? wordsOf((mail.html ?? '').slice(0, mostHtml)) : text,
    statuses: parts('message/delivery-status'),
    feedback: parts('message/feedback-report'),
  };
}
