/** Reading JSON of which nothing is certain: what is not of the asked kind is not there. */

export type Fields = Readonly<Record<string, unknown>>;

/** Pure: undefined for bytes that are no JSON object. */
export function parseObject(bytes: Buffer): Fields | undefined {
  try {
    return fieldsOf(JSON.parse(bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}

export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

export function objectAt(value: Fields | undefined, key: string): Fields | undefined {
  return value !== undefined && Object.hasOwn(value, key) ? fieldsOf(value[key]) : undefined;
}

/** The objects of a list. */
export function objectsAt(value: Fields | undefined, key: string): readonly Fields[] {
  if (value === undefined || !Object.hasOwn(value, key)) return [];
  const list = value[key];
  return Array.isArray(list) ? list.map(fieldsOf).filter((one) => one !== undefined) : [];
}

/** A text that is not empty; Meta writes some numbers as text and some texts as numbers. */
export function textAt(value: Fields | undefined, key: string): string | undefined {
  if (value === undefined || !Object.hasOwn(value, key)) return undefined;
  const found = value[key];
  if (typeof found === 'number' && Number.isFinite(found)) return String(found);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** Seconds since 1970, as text or number, as RFC 3339. */
export function timeAt(value: Fields | undefined, key: string): string | undefined {
  const text = textAt(value, key);
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  return Temporal.Instant.fromEpochMilliseconds(Number(text) * 1000).toString();
}

/** `{ [key]: value }`, or nothing where there is no value. */
export function maybe<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };
}
