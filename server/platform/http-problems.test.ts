import { expect, test } from 'vitest';
import { z } from 'zod';
import { fieldProblems } from './http-problems.ts';

const message = z.strictObject({
  channel: z.literal('email'),
  to: z.union([z.strictObject({ contactId: z.uuid() }), z.strictObject({ email: z.string().min(1) })]),
  templateId: z.string(),
});
const body = z.union([message, z.strictObject({ messages: z.array(message) })]);

function problemsOf(value: unknown): Record<string, string> {
  const { error } = body.safeParse(value);
  if (error === undefined) return {};
  return Object.fromEntries(fieldProblems(error, '').map(({ pointer, message: said }) => [pointer, said]));
}

test('names what is wrong in the shape that was meant, of several a body may have', () => {
  expect(problemsOf({ channel: 'email', to: { email: 'a@b.c' }, template: 'x' })).toEqual({
    '/templateId': 'is missing',
    '/template': 'is not known here',
  });
  expect(problemsOf({ messages: [{ channel: 'email', to: { email: '' }, templateId: 'x' }] })).toEqual({
    '/messages/0/to/email': 'must not be empty',
  });
});

test('names only the place when a value has the type of no shape', () => {
  expect(problemsOf({ channel: 'email', to: 'a@b.c', templateId: 'x' })).toEqual({ '/to': 'invalid input' });
  expect(problemsOf([])).toEqual({ '': 'invalid input' });
});
