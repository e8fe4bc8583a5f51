import { expect, test } from 'vitest';
import { createBudget } from './budget.ts';

test('a hand-over that is not alone holds at most half; alone again, all', () => {
  const budget = createBudget(64);
  const leave = budget.enter();
  expect(budget.share()).toBe(64);
  const other = budget.enter();
  expect(budget.share()).toBe(32);
  other();
  leave();
  expect(budget.share()).toBe(64);
});

test('permits are never handed out twice', () => {
  const budget = createBudget(3);
  budget.take(2);
  expect(budget.free()).toBe(1);
  expect(() => budget.take(2)).toThrow();
});

test('who waits is told when permits come free', async () => {
  const budget = createBudget(1);
  budget.take(1);
  const freed = budget.freed();
  budget.give(1);
  await freed;
  expect(budget.free()).toBe(1);
});
