/** What Meta's Graph makes of a request: what it refuses, how it names things, and the templates that the sandbox's account has. */

export type Fields = Readonly<Record<string, unknown>>;

export interface GraphProblem {
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly details?: string;
  readonly subcode?: number;
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fieldsAt = (value: Fields, key: string): Fields => (isFields(value[key]) ? value[key] : {});
const textAt = (value: Fields, key: string): string => (typeof value[key] === 'string' ? value[key] : '');
const listAt = (value: Fields, key: string): readonly Fields[] =>
  Array.isArray(value[key]) ? value[key].filter(isFields) : [];

const missing = (what: string): GraphProblem => ({
  status: 400,
  code: 131008,
  message: 'Required parameter is missing',
  details: `Required parameter ${what} is missing`,
});
const invalid = (details: string): GraphProblem => ({
  status: 400,
  code: 131009,
  message: 'Parameter value is not valid',
  details,
});

/** The number as Meta writes it, digits only; undefined: it is none. */
export function waIdOf(to: unknown): string | undefined {
  if (typeof to !== 'string' || !/^\+?[\d\s().-]+$/.test(to)) return undefined;
  const digits = to.replace(/\D/g, '');
  return digits.length >= 7 && digits.length <= 15 ? digits : undefined;
}

const media = new Set(['image', 'video', 'audio', 'document', 'sticker']);

/** What is wrong with the body of a message; undefined: nothing. */
export function messageProblem(body: Fields, templates: readonly Fields[]): GraphProblem | undefined {
  if (body['messaging_product'] !== 'whatsapp')
    return { status: 400, code: 100, message: 'The parameter messaging_product is required.' };
  if (body['to'] === undefined) return { status: 400, code: 100, message: 'The parameter to is required.' };
  if (waIdOf(body['to']) === undefined) return invalid('to is not a valid WhatsApp number');
  if (textAt(body, 'biz_opaque_callback_data').length > 512) return invalid('biz_opaque_callback_data is too long');
  const type = textAt(body, 'type') || 'text';
  if (!isFields(body[type])) return missing(type);
  const part = fieldsAt(body, type);
  if (media.has(type)) return mediaProblem(type, part);
  switch (type) {
    case 'text':
      return lengthProblem('text.body', textAt(part, 'body'), 4096);
    case 'template':
      return templateProblem(part, templates);
    case 'interactive':
      return interactiveProblem(part);
    case 'location':
    case 'reaction':
      return undefined;
    default:
      return { status: 400, code: 131051, message: 'Unsupported message type', details: `${type} is not supported` };
  }
}

function lengthProblem(name: string, text: string, most: number): GraphProblem | undefined {
  if (text === '') return missing(name);
  return [...text].length > most ? invalid(`${name} has more than ${most} characters`) : undefined;
}

function mediaProblem(type: string, part: Fields): GraphProblem | undefined {
  const [link, id] = [textAt(part, 'link'), textAt(part, 'id')];
  if ((link === '') === (id === '')) return missing(`${type}: either id or link`);
  if (link !== '' && !/^https?:\/\/\S+$/.test(link)) return invalid(`${type}.link is not a URL`);
  return [...textAt(part, 'caption')].length > 1024
    ? invalid(`${type}.caption has more than 1024 characters`)
    : undefined;
}

function interactiveProblem(part: Fields): GraphProblem | undefined {
  const action = fieldsAt(part, 'action');
  const kind = textAt(part, 'type');
  const body = lengthProblem(
    'interactive.body.text',
    textAt(fieldsAt(part, 'body'), 'text'),
    kind === 'list' ? 4096 : 1024,
  );
  if (body !== undefined) return body;
  if (kind === 'button') {
    const titles = listAt(action, 'buttons').map((button) => textAt(fieldsAt(button, 'reply'), 'title'));
    if (titles.length < 1 || titles.length > 3) return invalid('action.buttons must have 1 to 3 buttons');
    if (titles.some((title) => title === '' || [...title].length > 20))
      return invalid('a button title has 1 to 20 characters');
    return new Set(titles).size < titles.length ? invalid('button titles must be unique') : undefined;
  }
  if (kind !== 'list') return undefined;
  const rows = listAt(action, 'sections').flatMap((section) => listAt(section, 'rows'));
  if (rows.length < 1 || rows.length > 10) return invalid('a list has 1 to 10 rows');
  if (rows.some((row) => textAt(row, 'title') === '' || [...textAt(row, 'title')].length > 24))
    return invalid('a row title has 1 to 24 characters');
  return lengthProblem('interactive.action.button', textAt(action, 'button'), 20);
}

/**
 * A template of the account is held to its places; any other is taken as approved, so that one's own templates can be tried
 * before they exist, unless its name says what is to happen: `…missing…` (132001), `…paused…` (132015), `…disabled…`
 * (132016), `…mismatch…` (132000).
 */
function templateProblem(part: Fields, templates: readonly Fields[]): GraphProblem | undefined {
  const name = textAt(part, 'name');
  const language = textAt(fieldsAt(part, 'language'), 'code');
  if (name === '') return missing('template.name');
  if (language === '') return missing('template.language.code');
  const told = named.find(([word]) => name.includes(word))?.[1];
  if (told !== undefined) return told;
  const known = templates.filter((one) => one['name'] === name);
  if (known.length === 0) return undefined;
  const one = known.find((template) => template['language'] === language);
  if (one === undefined)
    return {
      ...noTemplate,
      details: `template name (${name}) does not exist in ${language}`,
    };
  const wanted = placesIn(bodyOf(one)).length;
  const given = listAt(
    listAt(part, 'components').find((component) => component['type'] === 'body') ?? {},
    'parameters',
  );
  if (given.length === wanted) return undefined;
  return {
    ...mismatch,
    details: `body: number of localizable_params (${given.length}) does not match the expected number of params (${wanted})`,
  };
}

const noTemplate: GraphProblem = {
  status: 404,
  code: 132001,
  message: 'Template name does not exist in the translation',
};
const mismatch: GraphProblem = {
  status: 400,
  code: 132000,
  message: 'Number of parameters does not match the expected number of params',
};
const named: readonly (readonly [string, GraphProblem])[] = [
  ['missing', noTemplate],
  ['paused', { status: 400, code: 132015, message: 'Template is Paused' }],
  ['disabled', { status: 400, code: 132016, message: 'Template is Disabled' }],
  ['mismatch', mismatch],
];

function placesIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map((match) => match[1] ?? ''))];
}

function bodyOf(template: Fields): string {
  return textAt(listAt(template, 'components').find((one) => one['type'] === 'BODY') ?? {}, 'text');
}

export interface Look {
  readonly title: string;
  readonly heading?: string;
  readonly text: string;
  readonly footer?: string;
  readonly pictures?: readonly string[];
  readonly buttons?: readonly string[];
}

/** How the message looks on the phone. */
export function lookOf(body: Fields, templates: readonly Fields[]): Look {
  const type = textAt(body, 'type') || 'text';
  const part = fieldsAt(body, type);
  if (type === 'template') return templateLook(part, templates);
  if (type === 'interactive') return interactiveLook(part);
  if (media.has(type)) {
    const text = textAt(part, 'caption');
    const link = textAt(part, 'link');
    const isPicture = (type === 'image' || type === 'sticker') && link !== '';
    return {
      title: text || `[${type}]`,
      text: text || textAt(part, 'filename') || `[${type}]`,
      ...(isPicture ? { pictures: [link] } : {}),
    };
  }
  const text = textAt(part, 'body');
  return { title: text.slice(0, 80), text };
}

function templateLook(part: Fields, templates: readonly Fields[]): Look {
  const name = textAt(part, 'name');
  const known = templates.find(
    (one) => one['name'] === name && one['language'] === textAt(fieldsAt(part, 'language'), 'code'),
  );
  const components = listAt(part, 'components');
  const values = (type: string) =>
    listAt(components.find((one) => one['type'] === type) ?? {}, 'parameters').map((one) => textAt(one, 'text'));
  const body = values('body');
  const filled = known === undefined ? '' : fill(bodyOf(known), body);
  const text = filled || [`[${name}]`, ...body].join('\n');
  const header = listAt(components.find((one) => one['type'] === 'header') ?? {}, 'parameters')[0];
  const picture = textAt(fieldsAt(header ?? {}, 'image'), 'link');
  return {
    title: `${name}: ${body.join(', ')}`.slice(0, 80),
    ...(header?.['type'] === 'text' ? { heading: textAt(header, 'text') } : {}),
    text,
    ...(picture === '' ? {} : { pictures: [picture] }),
  };
}

function fill(text: string, values: readonly string[]): string {
  const places = placesIn(text);
  return text.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) => values[places.indexOf(name)] ?? whole);
}

function interactiveLook(part: Fields): Look {
  const action = fieldsAt(part, 'action');
  const buttons = listAt(action, 'buttons').map((button) => textAt(fieldsAt(button, 'reply'), 'title'));
  const rows = listAt(action, 'sections').flatMap((section) =>
    listAt(section, 'rows').map((row) => textAt(row, 'title')),
  );
  const [heading, footer] = [textAt(fieldsAt(part, 'header'), 'text'), textAt(fieldsAt(part, 'footer'), 'text')];
  const text = textAt(fieldsAt(part, 'body'), 'text');
  return {
    title: text.slice(0, 80),
    ...(heading === '' ? {} : { heading }),
    text,
    ...(footer === '' ? {} : { footer }),
    buttons: [...buttons, ...rows],
  };
}

/** `TEMPLATE` of the category it was approved in; free content is service. */
export function categoryOf(body: Fields, templates: readonly Fields[]): string {
  if (body['type'] !== 'template') return 'service';
  const known = templates.find((one) => one['name'] === fieldsAt(body, 'template')['name']);
  return known === undefined ? 'utility' : textAt(known, 'category').toLowerCase();
}

/** `wamid.` and what Meta encodes there: the number, and the message's own id in hexadecimal digits. */
export function wamidOf(waId: string, hex: string): string {
  const bytes = Buffer.concat([
    Buffer.from([0x1c, 0x18, waId.length]),
    Buffer.from(waId, 'ascii'),
    Buffer.from([0x15, 0x02, 0x00, 0x11, 0x18, 0x12]),
    Buffer.from(hex.toUpperCase().slice(0, 18), 'ascii'),
    Buffer.from([0x00]),
  ]);
  return `wamid.${bytes.toString('base64')}`;
}

const template = (
  id: string,
  name: string,
  category: string,
  language: string,
  components: readonly Fields[],
): Fields => ({
  name,
  parameter_format: 'POSITIONAL',
  components,
  language,
  status: 'APPROVED',
  category,
  quality_score: { score: 'GREEN' },
  id,
});

/** What every account of the sandbox has; Meta's own sample texts. */
export const sampleTemplates: readonly Fields[] = [
  template('1100000000000001', 'hello_world', 'UTILITY', 'en_US', [
    { type: 'HEADER', format: 'TEXT', text: 'Hello World' },
    {
      type: 'BODY',
      text: 'Welcome and congratulations!! This message demonstrates your ability to send a WhatsApp message notification.',
    },
  ]),
  template('1100000000000002', 'order_confirmation', 'UTILITY', 'en_US', [
    {
      type: 'BODY',
      text: 'Thank you, {{1}}! Your order {{2}} is on its way.',
      example: { body_text: [['Ada', '42']] },
    },
    { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'Track', url: 'https://shop.example/orders/{{1}}' }] },
  ]),
  template('1100000000000003', 'seasonal_offer', 'MARKETING', 'en_US', [
    {
      type: 'BODY',
      text: 'Hi {{1}}, our sale is on: {{2}} off until Sunday.',
      example: { body_text: [['Ada', '25%']] },
    },
    { type: 'FOOTER', text: 'Tap below to stop.' },
    { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Stop promotions' }] },
  ]),
  template('1100000000000004', 'login_code', 'AUTHENTICATION', 'en_US', [
    { type: 'BODY', text: '*{{1}}* is your verification code.', add_security_recommendation: true },
    {
      type: 'BUTTONS',
      buttons: [
        { type: 'URL', text: 'Copy code', url: 'https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}' },
      ],
    },
  ]),
];
