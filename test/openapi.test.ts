import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../contract/endpoint.ts';
import { endpoints } from '../contract/index.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

/** The document that clients are generated from, and the page that people read: both must name every route there is. */
type Json = Readonly<Record<string, unknown>>;

let world: World;
let document: Json;
beforeAll(async () => {
  world = await openWorld();
  document = (await world.ask('GET', '/api/v1/openapi.json')).json ?? {};
}, 60_000);
afterAll(() => world.close(), 60_000);

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const child = (value: unknown, ...keys: string[]): unknown =>
  keys.reduce<unknown>((at, key) => (isJson(at) ? at[key] : undefined), value);
const listAt = (value: unknown, key: string): readonly unknown[] => {
  const found = child(value, key);
  return Array.isArray(found) ? found : [];
};
const pathOf = ({ absolute, path }: Endpoint) =>
  `${absolute === true ? '' : '/api/v1'}${path.replaceAll(/:([a-zA-Z]+)/g, '{$1}')}`;
const operationOf = (endpoint: Endpoint) => child(document, 'paths', pathOf(endpoint), endpoint.method.toLowerCase());
const named = endpoints.map((one): [string, Endpoint] => [`${one.method} ${one.path}`, one]);

function* operations(): Generator<[string, Json]> {
  for (const [path, methods] of Object.entries(child(document, 'paths') ?? {}))
    for (const [method, operation] of Object.entries(isJson(methods) ? methods : {}))
      if (isJson(operation)) yield [`${method.toUpperCase()} ${path}`, operation];
}

function* references(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const one of value) yield* references(one);
  else if (isJson(value))
    for (const [key, one] of Object.entries(value))
      if (key === '$ref' && typeof one === 'string') yield one;
      else yield* references(one);
}

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const result = await validator.validate(structuredClone(document));
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  test('has the routes of the contract, no more and no less', () => {
    const told = [...operations()].map(([name]) => name);
    expect(told.toSorted()).toEqual(endpoints.map((one) => `${one.method} ${pathOf(one)}`).toSorted());
  });

  test.each(named)('%s: permission, parameters, body and answer as in the contract', (_name, endpoint) => {
    const operation = operationOf(endpoint);
    expect(child(operation, 'x-permission')).toBe(endpoint.permission);
    expect(child(operation, 'summary')).toBe(endpoint.summary);
    expect(child(operation, 'security')).toEqual(endpoint.permission === 'public' ? [] : undefined);
    const inPath = listAt(operation, 'parameters').filter((one) => child(one, 'in') === 'path');
    expect(inPath.map((one) => child(one, 'name'))).toEqual(
      [...endpoint.path.matchAll(/:([a-zA-Z]+)/g)].map((match) => match[1]),
    );
    expect(inPath.every((one) => child(one, 'required') === true && isJson(child(one, 'schema')))).toBe(true);
    const takes = Object.keys(child(operation, 'requestBody', 'content') ?? {});
    expect(takes).toEqual(endpoint.consumes ?? (endpoint.body === undefined ? [] : ['application/json']));
    const gives = Object.keys(child(operation, 'responses', String(endpoint.status), 'content') ?? {});
    const type = endpoint.response === undefined ? endpoint.produces : 'application/json';
    expect(gives).toEqual(type === undefined ? [] : [type]);
    expect(child(operation, 'responses', 'default', '$ref')).toBe('#/components/responses/Problem');
  });

  test('gives every operation an id of its own', () => {
    const ids = [...operations()].map(([, operation]) => String(operation['operationId']));
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  });

  test('refers only to what is in it', () => {
    const found = new Set(references(document));
    expect(found.size).toBeGreaterThan(0);
    for (const reference of found) {
      expect(reference).toMatch(/^#\//);
      expect(child(document, ...reference.slice(2).split('/')), reference).toBeDefined();
    }
  });
});

describe('the reference page', () => {
  test('names every route with its permission, and runs no script', async () => {
    const { status, type, text, headers } = await world.ask('GET', '/docs');
    expect(status).toBe(200);
    expect(type).toMatch(/^text\/html/);
    expect(text).not.toMatch(/<script|javascript:/i);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    const sections = text.split('<details>').slice(1);
    expect(sections).toHaveLength(endpoints.length);
    for (const endpoint of endpoints) {
      const heading = `<span class="method">${endpoint.method}</span> <code>${pathOf(endpoint)}</code>`;
      const section = sections.filter((one) => one.includes(heading));
      expect(section, heading).toHaveLength(1);
      expect(section[0]).toContain(`Permission: <code>${endpoint.permission}</code>`);
    }
  });
});
