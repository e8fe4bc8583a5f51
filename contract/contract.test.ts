import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { contactGiven } from './contacts.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoints } from './index.ts';
import { importOptions } from './imports.ts';
import { mailboxOf } from './mailbox.ts';
import { permissions } from './permissions.ts';

const name = (e: Endpoint) => `${e.method} ${e.path}`;
interface Json {
  type?: string | string[];
  properties?: Record<string, Json>;
  additionalProperties?: boolean | Json;
  propertyNames?: Json;
  items?: Json;
  anyOf?: Json[];
  oneOf?: Json[];
  allOf?: Json[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  maxLength?: number;
  maxItems?: number;
  pattern?: string;
}

/** Every schema inside a schema, with the way to it. */
function* walk(schema: Json, path: string): Generator<[string, Json]> {
  yield [path, schema];
  for (const [key, child] of Object.entries(schema.properties ?? {})) yield* walk(child, `${path}/${key}`);
  if (schema.items) yield* walk(schema.items, `${path}/[]`);
  if (typeof schema.additionalProperties === 'object') yield* walk(schema.additionalProperties, `${path}/{}`);
  for (const child of [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])])
    yield* walk(child, path);
}

const json = (schema: z.ZodType, io: 'input' | 'output') => z.toJSONSchema(schema, { io }) as unknown as Json;
const given = (e: Endpoint) => [e.params, e.query, e.body].filter((schema) => schema !== undefined);
/** Every part of what callers give, with the way to it. */
const partsGiven = () =>
  endpoints.flatMap((e) => given(e).flatMap((schema) => [...walk(json(schema, 'input'), name(e))]));

describe('every endpoint', () => {
  it('has a method and path of its own', () => {
    const shapes = endpoints.map(
      (e) => `${e.method} ${e.absolute ? '' : '/api/v1'}${e.path.replace(/:[a-zA-Z]+/g, ':x')}`,
    );
    expect(shapes.filter((shape, at) => shapes.indexOf(shape) !== at)).toEqual([]);
  });

  it('names who may call it', () => {
    const known = new Set<string>([...permissions, 'signed-in', 'public']);
    expect(endpoints.filter((e) => !known.has(e.permission)).map(name)).toEqual([]);
  });

  it('keeps every permission in use', () => {
    const used = new Set<string>(endpoints.map((e) => e.permission));
    expect(permissions.filter((permission) => !used.has(permission))).toEqual([]);
  });

  it('declares exactly the params of its path', () => {
    for (const e of endpoints) {
      const inPath = [...e.path.matchAll(/:([a-zA-Z]+)/g)].map((match) => match[1]);
      const declared = e.params ? Object.keys(json(e.params, 'input').properties ?? {}) : [];
      expect(declared.toSorted(), name(e)).toEqual(inPath.toSorted());
    }
  });

  it('answers JSON by a schema, or says what else it produces', () => {
    const silent = endpoints.filter((e) => e.status !== 204 && !e.response && !e.produces);
    expect(silent.map(name)).toEqual([]);
  });

  it('becomes JSON Schema, as OpenAPI needs it', () => {
    for (const e of endpoints) {
      for (const schema of given(e)) expect(() => json(schema, 'input'), name(e)).not.toThrow();
      if (e.response) expect(() => json(e.response as z.ZodType, 'output'), name(e)).not.toThrow();
    }
  });

  it('refuses unknown keys at every depth, but for what mail programs add to the links of contacts and vendors to their callbacks', () => {
    const links = new Set(
      endpoints.filter((e) => e.tag === 'Pages for contacts' || e.tag === 'Callbacks of providers').map(name),
    );
    const open = partsGiven().filter(([, part]) => part.properties && part.additionalProperties !== false);
    expect(open.map(([path]) => path).filter((path) => !links.has(path))).toEqual([]);
  });

  it('bounds every string and array that a caller gives', () => {
    const unbounded = partsGiven().filter(([, part]) => {
      const isFree = part.type === 'string' && !part.enum && part.const === undefined;
      const isBounded =
        part.maxLength !== undefined || part.format !== undefined || /\{\d*,?\d+\}|^\^\\d/.test(part.pattern ?? '');
      return (isFree && !isBounded) || (part.type === 'array' && part.maxItems === undefined);
    });
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });
});

describe('what callers give', () => {
  it('may not name an attribute after a part of a prototype', () => {
    for (const key of ['constructor', 'prototype', 'First Name', '', '1st', 'a'.repeat(64)]) {
      expect(contactGiven.safeParse({ attributes: { [key]: 'x' } }).success, key).toBe(false);
      expect(importOptions.safeParse({ mapping: { column: `attributes.${key}` } }).success, key).toBe(false);
    }
    expect(contactGiven.safeParse({ attributes: { first_name: 'Ada', tags: ['a'], old: null } }).success).toBe(true);
  });

  it('may write a sender as people do', () => {
    expect(mailboxOf('Ada of Acme <ada@example.com>')).toEqual({ email: 'ada@example.com', name: 'Ada of Acme' });
    expect(mailboxOf('"Acme, Inc." <a@example.com>')).toEqual({ email: 'a@example.com', name: 'Acme, Inc.' });
    expect(mailboxOf('ada@example.com')).toEqual({ email: 'ada@example.com' });
    expect(mailboxOf('<ada@example.com>')).toEqual({ email: 'ada@example.com' });
    for (const bad of ['Ada', 'Ada <ada>', 'a <b@example.com> c', 'a@b@c.example'])
      expect(mailboxOf(bad), bad).toBeUndefined();
  });
});
