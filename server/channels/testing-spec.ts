import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

/**
 * The vendors' own specifications as judges of what we send: tests hold each request (and what the sandbox answers) to
 * them. The files are no part of the project; where they are absent, tests of this kind are skipped.
 */

const contracts = process.env['PARLEY_CONTRACTS'] ?? '../shared/contracts';

/** Where a contract lies, or undefined: `describe.skipIf(contractFile('…') === undefined)`. */
export function contractFile(path: string): string | undefined {
  const file = join(contracts, path);
  return existsSync(file) ? file : undefined;
}

/** A contract in JSON or YAML; undefined where it is absent. The caller says what stands in it. */
export function readContract<T>(path: string): T | undefined {
  const file = contractFile(path);
  if (file === undefined) return undefined;
  const text = readFileSync(file, 'utf8');
  return (/\.ya?ml$/.test(path) ? parse(text) : JSON.parse(text)) as T;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface ValidatorOptions {
  /** `application/json`, `application/x-www-form-urlencoded`, …; by default the first the spec has. */
  readonly contentType?: string;
  /** Judges the vendor's answer of this status instead of the request. */
  readonly status?: number;
  /** Most specs let unknown fields pass; with this, a field the spec does not name is a problem. */
  readonly closed?: boolean;
  /** Repairs a spec that is known to be wrong, before anything is compiled. */
  readonly patch?: (document: { [key: string]: Json }) => void;
}

/** Of a body to its problems (`/personalizations/0/to must be array`); none: it is right. */
export type Validator = (body: unknown) => readonly string[];

/**
 * `validatorFor('specs/sendgrid/tsg_mail_v3.json', 'post', '/v3/mail/send')`, for OpenAPI 3.0 and 3.1; undefined where the
 * contracts are absent. Forms are judged as objects of their fields.
 */
export function validatorFor(
  specFile: string,
  method: 'get' | 'post' | 'put' | 'patch' | 'delete',
  path: string,
  options: ValidatorOptions = {},
): Validator | undefined {
  const document = readContract<{ [key: string]: Json }>(specFile);
  if (document === undefined) return undefined;
  options.patch?.(document);
  if (options.closed === true) close(document);
  const settings = {
    strict: false,
    allErrors: true,
    validateSchema: false,
    unicodeRegExp: false,
    logger: false,
  } as const;
  const version = document['openapi'];
  const isNew = typeof version === 'string' && version.startsWith('3.1');
  const ajv = isNew ? new Ajv2020(settings) : new Ajv(settings);
  addFormats.default(ajv);
  ajv.addSchema(document, 'spec');
  const pointer = schemaPointer(document, method, path, options);
  const validate = ajv.compile({ $ref: `spec#${pointer}` });
  return (body) => problemsOf(validate, body);
}

function problemsOf(validate: ValidateFunction, body: unknown): readonly string[] {
  if (validate(body)) return [];
  return (validate.errors ?? []).map(
    (error) => `${error.instancePath} ${error.message ?? ''} ${JSON.stringify(error.params)}`,
  );
}

function schemaPointer(document: Json, method: string, path: string, options: ValidatorOptions): string {
  const part = options.status === undefined ? ['requestBody'] : ['responses', String(options.status)];
  const at = follow(document, ['paths', path, method, ...part]);
  const content = childOf(at.value, 'content');
  const type =
    options.contentType ?? Object.keys(typeof content === 'object' && content !== null ? content : {})[0] ?? '';
  const schema = [...at.keys, 'content', type, 'schema'];
  if (childOf(childOf(content, type), 'schema') === undefined)
    throw new Error(`the spec has no schema at ${schema.join(' ')}`);
  return schema.map((key) => `/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');
}

/** Walks down, through references within the document. */
function follow(document: Json, keys: readonly string[]): { keys: readonly string[]; value: Json | undefined } {
  let value: Json | undefined = document;
  let walked: string[] = [];
  for (const key of keys) {
    value = childOf(value, key);
    walked.push(key);
    const reference = childOf(value, '$ref');
    if (typeof reference !== 'string') continue;
    walked = reference
      .slice(2)
      .split('/')
      .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'));
    value = walked.reduce<Json | undefined>(childOf, document);
  }
  return { keys: walked, value };
}

function childOf(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Objects that list their properties take no others, unless they are put together from several schemas. */
function close(value: Json): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) return value.forEach(close);
  const isList = typeof value['properties'] === 'object' && value['type'] === 'object';
  const isComposed = ['allOf', 'anyOf', 'oneOf', 'additionalProperties'].some((key) => key in value);
  if (isList && !isComposed) value['additionalProperties'] = false;
  Object.values(value).forEach(close);
}
