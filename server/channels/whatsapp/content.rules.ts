import type { WhatsAppContent, WhatsAppTemplate } from '../port.ts';

/**
 * What WhatsApp takes in each kind of message. Looked at before anything is sent: a refusal costs quality, and both vendors
 * say too little about which part was wrong.
 * Source: developers.facebook.com/documentation/business-messaging/whatsapp/messages/*; counted in characters as Meta
 * counts them (UTF-16 units would refuse emoji that it takes).
 */

export interface ContentProblem {
  /** Below the content: `/buttons/1/title`. */
  readonly pointer: string;
  readonly message: string;
}

const most = {
  text: 4096,
  caption: 1024,
  body: 1024,
  listBody: 4096,
  header: 60,
  footer: 60,
  buttonTitle: 20,
  id: 256,
  rowId: 200,
  rowTitle: 24,
  rowDescription: 72,
  sectionTitle: 24,
  variable: 1024,
  otp: 15,
} as const;

type Problems = ContentProblem[];

/** Pure: all that is wrong; empty for what may be handed over. */
export function contentProblems(content: WhatsAppContent): readonly ContentProblem[] {
  const problems: Problems = [];
  switch (content.kind) {
    case 'template':
      templateProblems(problems, content);
      break;
    case 'text':
      within(problems, '/body', content.body, most.text);
      break;
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      isLink(problems, '/url', content.url);
      within(problems, '/caption', content.caption, most.caption, true);
      if (content.caption !== undefined && (content.kind === 'audio' || content.kind === 'sticker'))
        problems.push({
          pointer: '/caption',
          message: `is not shown with ${content.kind === 'audio' ? 'audio' : 'a sticker'}`,
        });
      break;
    case 'buttons':
      frameProblems(problems, content, most.body);
      buttonProblems(problems, content.buttons);
      break;
    case 'list':
      frameProblems(problems, content, most.listBody);
      within(problems, '/label', content.label, most.buttonTitle);
      listProblems(problems, content.sections);
      break;
  }
  return problems;
}

function within(
  problems: Problems,
  pointer: string,
  text: string | undefined,
  limit: number,
  mayBeEmpty = false,
): void {
  if (text === undefined) return;
  if (!mayBeEmpty && text.trim() === '') problems.push({ pointer, message: 'must not be empty' });
  if (text.length > limit && [...text].length > limit)
    problems.push({ pointer, message: `must have at most ${limit} characters` });
}

function isLink(problems: Problems, pointer: string, url: string): void {
  if (!/^https?:\/\/[^\s]{3,2000}$/i.test(url)) problems.push({ pointer, message: 'must be a public web address' });
}

function frameProblems(
  problems: Problems,
  frame: { readonly body: string; readonly header?: string; readonly footer?: string },
  bodyLimit: number,
): void {
  within(problems, '/body', frame.body, bodyLimit);
  within(problems, '/header', frame.header, most.header);
  within(problems, '/footer', frame.footer, most.footer);
}

function unique(problems: Problems, pointer: string, values: readonly string[]): void {
  if (new Set(values).size < values.length) problems.push({ pointer, message: 'must be different from each other' });
}

function buttonProblems(problems: Problems, buttons: readonly { readonly id: string; readonly title: string }[]): void {
  if (buttons.length < 1 || buttons.length > 3) problems.push({ pointer: '/buttons', message: 'must be one to three' });
  for (const [index, button] of buttons.entries()) {
    within(problems, `/buttons/${index}/id`, button.id, most.id);
    within(problems, `/buttons/${index}/title`, button.title, most.buttonTitle);
  }
  unique(
    problems,
    '/buttons',
    buttons.map((button) => button.id),
  );
  unique(
    problems,
    '/buttons',
    buttons.map((button) => button.title),
  );
}

function listProblems(problems: Problems, sections: (WhatsAppContent & { kind: 'list' })['sections']): void {
  if (sections.length < 1 || sections.length > 10)
    problems.push({ pointer: '/sections', message: 'must be one to ten' });
  const rows = sections.flatMap((section) => section.rows);
  if (rows.length < 1 || rows.length > 10)
    problems.push({ pointer: '/sections', message: 'must have one to ten rows together' });
  for (const [index, section] of sections.entries()) {
    // A single section may go without a title.
    within(problems, `/sections/${index}/title`, section.title, most.sectionTitle, sections.length === 1);
    for (const [place, row] of section.rows.entries()) {
      const at = `/sections/${index}/rows/${place}`;
      within(problems, `${at}/id`, row.id, most.rowId);
      within(problems, `${at}/title`, row.title, most.rowTitle);
      within(problems, `${at}/description`, row.description, most.rowDescription, true);
    }
  }
  unique(
    problems,
    '/sections',
    rows.map((row) => row.id),
  );
}

function templateProblems(problems: Problems, template: WhatsAppTemplate): void {
  if (!/^[a-z0-9_]{1,512}$/.test(template.name) && template.contentSid === undefined)
    problems.push({ pointer: '/name', message: 'must be small letters, digits and underscores' });
  if (!/^[a-z]{2,3}(?:_[A-Za-z0-9]{2,4})?$/.test(template.language))
    problems.push({ pointer: '/language', message: 'must be a language as Meta writes it, such as en_US' });
  const { header } = template;
  if (header?.kind === 'text') variableProblems(problems, '/header/values', header.values, most.header);
  else if (header !== undefined) isLink(problems, '/header/url', header.url);
  variableProblems(problems, '/body', template.body, most.variable);
  for (const [index, button] of (template.buttons ?? []).entries()) {
    if (!Number.isInteger(button.index) || button.index < 0 || button.index > 9)
      problems.push({ pointer: `/buttons/${index}/index`, message: 'must be 0 to 9' });
    // What follows the fixed part of a link.
    within(problems, `/buttons/${index}/value`, button.value, button.kind === 'copy-code' ? most.otp : 2000);
  }
  unique(
    problems,
    '/buttons',
    (template.buttons ?? []).map((button) => String(button.index)),
  );
}

/** Meta refuses line breaks, tabs and more than four spaces in a row in a value (132018, 132012). */
const unfitSpace = /[\n\r\t]| {5,}/;

function variableProblems(problems: Problems, pointer: string, values: readonly string[], limit: number): void {
  for (const [index, value] of values.entries()) {
    within(problems, `${pointer}/${index}`, value, limit);
    if (unfitSpace.test(value))
      problems.push({
        pointer: `${pointer}/${index}`,
        message: 'must not have line breaks, tabs or more than four spaces in a row',
      });
  }
}
