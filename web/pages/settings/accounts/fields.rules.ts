/** What a form asks for, read from the JSON Schema of a provider's settings. */
export interface Field {
  readonly name: string;
  readonly title: string;
  readonly description: string | undefined;
  readonly kind: 'text' | 'long' | 'secret' | 'number' | 'switch' | 'choice' | 'lines' | 'rows';
  readonly isSecret: boolean;
  readonly isReadOnly: boolean;
  /** Empty means null, or what the schema has as its default. */
  readonly mayBeEmpty: boolean;
  readonly hasDefault: boolean;
  readonly choices: readonly string[];
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** Of rows: what each has. */
  readonly columns: readonly Field[];
  readonly initial: FieldValue;
}

export type RowValue = Readonly<Record<string, string>>;
export type FieldValue = string | number | boolean | readonly RowValue[];
export type FieldValues = Readonly<Record<string, FieldValue>>;

type Schema = Readonly<Record<string, unknown>>;

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `anyOf` of something and null: nullable. */
function bare(schema: Schema): { readonly schema: Schema; readonly isNullable: boolean } {
  const options = Array.isArray(schema['anyOf']) ? schema['anyOf'].filter(isSchema) : [];
  const real = options.find((one) => one['type'] !== 'null');
  return real === undefined ? { schema, isNullable: false } : { schema: real, isNullable: true };
}

const textIn = (schema: Schema, key: string) => (typeof schema[key] === 'string' ? schema[key] : undefined);
const numberIn = (schema: Schema, key: string) => (typeof schema[key] === 'number' ? schema[key] : undefined);

/** Beyond this a value has several lines: a key, a file. */
const longFrom = 1_000;

function kindOf(schema: Schema, isSecret: boolean): Field['kind'] {
  if (Array.isArray(schema['enum'])) return 'choice';
  switch (schema['type']) {
    case 'boolean':
      return 'switch';
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return isSchema(schema['items']) && schema['items']['type'] === 'object' ? 'rows' : 'lines';
    default: {
      const isLong = (numberIn(schema, 'maxLength') ?? 0) > longFrom;
      return isLong ? 'long' : isSecret ? 'secret' : 'text';
    }
  }
}

function fieldOf(name: string, whole: Schema, isSecret: boolean, isRequired: boolean): Field {
  const { schema, isNullable } = bare(whole);
  const items = isSchema(schema['items']) ? schema['items'] : {};
  const initial = whole['default'];
  const kind = kindOf(schema, isSecret);
  return {
    name,
    title: textIn(whole, 'title') ?? name,
    description: textIn(whole, 'description'),
    kind,
    isSecret,
    isReadOnly: whole['readOnly'] === true,
    mayBeEmpty: isNullable || isSecret || !isRequired,
    hasDefault: 'default' in whole,
    choices: Array.isArray(schema['enum']) ? schema['enum'].map(String) : [],
    min: numberIn(schema, 'minimum'),
    max: numberIn(schema, 'maximum'),
    columns: kind === 'rows' ? fieldsOf(items, false) : [],
    initial: inputOf(kind, initial),
  };
}

/** Pure: the fields of an object, in their order. */
export function fieldsOf(schema: Schema, isSecret: boolean): Field[] {
  const properties = isSchema(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return Object.entries(properties).flatMap(([name, one]) =>
    isSchema(one) ? [fieldOf(name, one, isSecret, required.includes(name))] : [],
  );
}

/** Pure: a stored value as an input holds it. */
function inputOf(kind: Field['kind'], value: unknown): FieldValue {
  switch (kind) {
    case 'switch':
      return value === true;
    case 'number':
      return typeof value === 'number' ? value : '';
    case 'lines':
      return Array.isArray(value) ? value.map(String).join('\n') : '';
    case 'rows':
      return Array.isArray(value) ? value.filter(isSchema).map(rowOf) : [];
    default:
      return typeof value === 'string' ? value : '';
  }
}

function rowOf(row: Schema): RowValue {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, typeof value === 'string' ? value : ''] as const),
  );
}

/** Pure: what the form begins with; secrets are never told, so they begin empty. */
export function valuesOfFields(fields: readonly Field[], stored: Schema | undefined): FieldValues {
  return Object.fromEntries(
    fields.map((field) => {
      const value = stored?.[field.name];
      return [field.name, value === undefined || field.isSecret ? field.initial : inputOf(field.kind, value)] as const;
    }),
  );
}

/** Pure: what the API is given. Empty secrets are left out, so that the stored ones stay. */
export function settingsOf(fields: readonly Field[], values: FieldValues): Record<string, unknown> {
  return Object.fromEntries(
    fields.flatMap((field) => {
      if (field.isReadOnly) return [];
      const value = outputOf(field, values[field.name] ?? '');
      return value === undefined ? [] : [[field.name, value] as const];
    }),
  );
}

function outputOf(field: Field, value: FieldValue): unknown {
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value !== 'string') return value.map((row) => rowGiven(field.columns, row));
  if (field.kind === 'lines') {
    const lines = value.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
    return lines.length === 0 && field.mayBeEmpty ? null : lines;
  }
  if (value.trim() !== '') return field.kind === 'long' ? value.trim() : value;
  if (field.isSecret || field.kind === 'number') return undefined;
  return field.mayBeEmpty ? null : '';
}

function rowGiven(columns: readonly Field[], row: RowValue): Record<string, string | null> {
  return Object.fromEntries(
    columns.map(({ name, mayBeEmpty, kind }) => {
      const text = (row[name] ?? '').trim();
      return [name, text === '' && (mayBeEmpty || kind !== 'text') ? null : text] as const;
    }),
  );
}
