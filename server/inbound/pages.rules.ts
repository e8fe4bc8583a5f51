import { createHash } from 'node:crypto';
import type { Words } from './words.ts';

/** Text in a page; every value goes through here. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

const css = `:root{color-scheme:light dark;--back:#f5f6f8;--card:#fff;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;--act:#0b5cad;--on:#fff}
@media(prefers-color-scheme:dark){:root{--back:#0f1318;--card:#1a2027;--text:#e8ecf1;--soft:#a9b3be;--line:#3a444f;--act:#7db7f5;--on:#0f1318}}
*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
main{max-width:34rem;margin:8vh auto 2rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25}p{margin:0 0 1rem}.soft{color:var(--soft)}
button{min-height:2.75rem;padding:.5rem 1.25rem;border:1px solid var(--act);border-radius:.5rem;background:var(--act);color:var(--on);font:inherit;font-weight:600;cursor:pointer}
button.plain{background:transparent;color:var(--act)}a{color:var(--act)}:focus-visible{outline:3px solid var(--act);outline-offset:3px}
fieldset{margin:0 0 1.5rem;padding:0;border:0}legend{padding:0;margin-bottom:.5rem;font-weight:600}
label{display:flex;gap:.75rem;padding:.75rem 0;border-bottom:1px solid var(--line);cursor:pointer}
input{flex:none;width:1.25rem;height:1.25rem;margin:.125rem 0 0;accent-color:var(--act)}label span span{display:block;color:var(--soft);font-size:.9rem}
.note{padding:.75rem 1rem;border-left:4px solid var(--act);background:var(--back)}.acts{display:flex;flex-wrap:wrap;gap:.75rem}
@media(max-width:30rem){main{margin:0;min-height:100vh;border:0;border-radius:0;padding:1.5rem}}`;

/** No script, no picture, nothing from elsewhere; the one style is named by its hash. */
export const pagePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(css).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

function page(words: Words, title: string, body: string, sender: string): string {
  const from = sender === '' ? '' : `<p class="soft">${escapeHtml(sender)}</p>`;
  return `<!doctype html>
<html lang="${words.lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>${escapeHtml(title)}</title><style>${css}</style></head>
<body><main>${from}<h1>${escapeHtml(title)}</h1>${body}</main></body></html>`;
}

export interface UnsubscribeView {
  readonly sender: string;
  /** Undefined: the message was about no topic; leaving means leaving everything. */
  readonly topic: string | undefined;
  readonly preferencesPath: string;
}

const fill = (text: string, value: string) => escapeHtml(text).replace('{}', `<strong>${escapeHtml(value)}</strong>`);

export function askPage(words: Words, view: UnsubscribeView): string {
  const what = view.topic === undefined ? escapeHtml(words.askAll) : fill(words.askTopic, view.topic);
  const body = `<p>${what}</p><form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click"><div class="acts"><button type="submit">${escapeHtml(words.unsubscribe)}</button></div></form>
<p></p><p><a href="${escapeHtml(view.preferencesPath)}">${escapeHtml(words.toPreferences)}</a></p>`;
  return page(words, words.unsubscribeTitle, body, view.sender);
}

export function donePage(words: Words, view: UnsubscribeView): string {
  const what = view.topic === undefined ? escapeHtml(words.doneAll) : fill(words.doneTopic, view.topic);
  const body = `<p role="status" class="note">${what}</p><p><a href="${escapeHtml(view.preferencesPath)}">${escapeHtml(words.changedMind)}</a></p>`;
  return page(words, words.doneTitle, body, view.sender);
}

export interface PreferenceView {
  readonly sender: string;
  readonly saved: boolean;
  readonly topics: readonly {
    readonly id: string;
    readonly name: string;
    readonly description: string | null;
    readonly on: boolean;
  }[];
}

export function preferencePage(words: Words, view: PreferenceView): string {
  const boxes = view.topics.map(({ id, name, description, on }) => {
    const more = description === null ? '' : `<span>${escapeHtml(description)}</span>`;
    return `<label><input type="checkbox" name="topic:${id}" value="on"${on ? ' checked' : ''}><span>${escapeHtml(name)}${more}</span></label>`;
  });
  const saved = view.saved ? `<p role="status" class="note">${escapeHtml(words.saved)}</p>` : '';
  const list =
    boxes.length === 0
      ? `<p>${escapeHtml(words.noTopics)}</p>`
      : `<fieldset><legend>${escapeHtml(words.chooseTopics)}</legend>${boxes.join('')}</fieldset>`;
  const save =
    boxes.length === 0 ? '' : `<button type="submit" name="do" value="save">${escapeHtml(words.save)}</button>`;
  const body = `${saved}<form method="post">${list}<div class="acts">${save}<button type="submit" class="plain" name="do" value="leave">${escapeHtml(words.leaveAll)}</button></div></form>`;
  return page(words, words.preferencesTitle, body, view.sender);
}

/** For a link that leads nowhere: broken, of another installation, or of a message that is long gone. */
export function deadLinkPage(words: Words): string {
  return page(words, words.deadTitle, `<p>${escapeHtml(words.dead)}</p>`, '');
}

export function tryAgainPage(words: Words): string {
  return page(words, words.againTitle, `<p>${escapeHtml(words.again)}</p>`, '');
}
