/**
 * What an audit entry may show of a value: enough to see that and how something changed, never an address in full and
 * never a secret. Sizes are bounded, since an entry stays for good.
 */
const secretName =
  /pass(word|phrase|wd)?$|secret|token|credential|authorization|cookie|private_?key|api_?key|salt|hash|otp|backup_?codes?|dkim_?key|^(key|pin|code)$/i;
const phoneName = /phone|mobile|msisdn|fax/i;
const emailLike = /[^\s@<>",;:()[\]]+@[^\s@<>",;:()[\]]+\.[^\s@<>",;:()[\]]+/gu;
const phoneLike = /(?<![\w.-])\+\d[\d\s().-]{6,18}\d(?!\w)/g;

const longestText = 300;
const mostItems = 50;
const mostKeys = 100;
const deepest = 6;
export const hidden = '•••';

/** `m•••@example.com`, the same form everywhere in Parley. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  return at < 1 ? hidden : `${[...email][0] ?? ''}${hidden}${email.slice(at)}`;
}

export function maskPhone(phone: string): string {
  const kept = phone.replaceAll(/[^\d+]/g, '');
  return kept.length < 6 ? hidden : `${kept.slice(0, 3)}${hidden}${kept.slice(-2)}`;
}

/** Addresses inside a text are masked, the rest stays. NUL and lone surrogates, which jsonb refuses, are replaced. */
export function maskText(text: string): string {
  const cut = text.length > longestText * 2 ? `${text.slice(0, longestText * 2)}…` : text;
  const masked = cut
    .toWellFormed()
    .replaceAll('\0', '\ufffd')
    .replaceAll(emailLike, maskEmail)
    .replaceAll(phoneLike, maskPhone);
  return masked.length > longestText ? `${masked.slice(0, longestText).toWellFormed()}…` : masked;
}

/** Any value, as plain JSON, masked. Times and other objects with `toJSON` become what JSON makes of them. */
export function maskValue(value: unknown, name = '', depth = 0): unknown {
  if (value === null || value === undefined) return null;
  if (secretName.test(name) && typeof value !== 'boolean') return hidden;
  if (typeof value === 'string') return phoneName.test(name) ? maskPhone(value) : maskText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object') return null;
  if (value instanceof Uint8Array) return hidden;
  if ('toJSON' in value && typeof value.toJSON === 'function') return maskValue(value.toJSON(), name, depth + 1);
  if (depth >= deepest) return '…';
  if (Array.isArray(value) || value instanceof Set) return maskList([...value], name, depth);
  return maskObject(value, depth);
}

function maskList(items: readonly unknown[], name: string, depth: number): unknown[] {
  const shown = items.slice(0, mostItems).map((item) => maskValue(item, name, depth + 1));
  return items.length > mostItems ? [...shown, `… ${items.length - mostItems} more`] : shown;
}

function maskObject(value: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const shown = entries
    .slice(0, mostKeys)
    .map(([key, item]) => [maskText(key), maskValue(item, key, depth + 1)] as const);
  // Not a plain assignment: a key such as __proto__ must become a key.
  return Object.fromEntries(entries.length > mostKeys ? [...shown, ['…', `${entries.length - mostKeys} more`]] : shown);
}

export interface Change {
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
}

/**
 * Before and after, masked; when both are given, only what differs. The difference is taken before masking, so that a
 * replaced secret or address shows as changed even though both masks look alike.
 */
export function maskChange(before: object | null | undefined, after: object | null | undefined): Change {
  if (!before || !after)
    return { before: before ? maskObject(before, 0) : null, after: after ? maskObject(after, 0) : null };
  const old = new Map(Object.entries(before));
  const now = new Map(Object.entries(after));
  const changed = [...new Set([...old.keys(), ...now.keys()])].filter((key) => !alike(old.get(key), now.get(key)));
  const pick = (from: ReadonlyMap<string, unknown>) =>
    maskObject(Object.fromEntries(changed.filter((key) => from.has(key)).map((key) => [key, from.get(key)])), 0);
  return { before: pick(old), after: pick(now) };
}

function alike(left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}
