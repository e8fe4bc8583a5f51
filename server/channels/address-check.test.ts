import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { addressCheckRoutes } from './address-check.ts';

let test: TestDb;
let app: FastifyInstance;
const asked: string[] = [];

beforeAll(async () => {
  test = await createTestDb();
  const mailRoute = async (domain: string) => {
    asked.push(domain);
    return { takesMail: 'no', detail: `${domain} takes none` } as const;
  };
  app = await createTestApp(test, addressCheckRoutes(mailRoute));
});
afterAll(async () => {
  await app.close();
  await test.close();
});

const check = (email: string, authorization = 'test') =>
  app.inject({ method: 'POST', url: '/api/v1/contacts/check', headers: { authorization }, payload: { email } });

it('asks about the domain of what is written as an address, and about nothing else', async () => {
  const wrong = await check('ada at example.com');
  expect(wrong.json()).toMatchObject({ isValid: false, takesMail: null });
  expect(asked).toEqual([]);
  const right = await check('ada@Exämple.com');
  expect(right.statusCode).toBe(200);
  expect(right.json()).toEqual({ isValid: true, takesMail: 'no', detail: 'xn--exmple-cua.com takes none' });
  expect(asked).toEqual(['xn--exmple-cua.com']);
});

it('is for those who may read contacts', async () => {
  expect((await check('ada@example.com', 'topics:read')).statusCode).toBe(403);
});
