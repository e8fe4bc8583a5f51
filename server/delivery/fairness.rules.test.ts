import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTurns } from './fairness.rules.ts';
import type { DueTurn } from './fairness.rules.ts';

const due = (workspaceId: string, priority: number, weight = 1): DueTurn => ({
  workspaceId,
  priority,
  weight,
  batches: true,
  deferrals: false,
  fallbacks: false,
});

/** So many claims of so many messages each; how many each workspace and priority got. */
function serve(claims: number, all: readonly DueTurn[], sizeOf = (_turn: DueTurn) => 500): Map<string, number> {
  const turns = createTurns();
  const got = new Map<string, number>();
  for (let n = 0; n < claims; n++) {
    const [next] = turns.order(all);
    if (next === undefined) throw new Error('nothing is due');
    turns.charge(next, sizeOf(next));
    const name = `${next.workspaceId}${next.priority}`;
    got.set(name, (got.get(name) ?? 0) + 1);
  }
  return got;
}

describe('whose turn it is', () => {
  test('the most urgent goes first, and nothing starves', () => {
    const all = [due('a', 4), due('a', 3), due('a', 2), due('a', 1)];
    expect(
      createTurns()
        .order(all)
        .map((one) => one.priority),
    ).toEqual([1, 2, 3, 4]);
    const got = serve(400, all);
    expect(got.get('a1')).toBe(270);
    expect(got.get('a2')).toBe(90);
    expect(got.get('a3')).toBe(30);
    expect(got.get('a4')).toBe(10);
  });

  test('something urgent that comes now and then never waits behind a campaign', () => {
    const turns = createTurns();
    for (let n = 0; n < 100; n++) {
      for (let k = 0; k < 7; k++) turns.charge(due('a', 4), 500);
      const [first] = turns.order([due('a', 4), due('b', 1)]);
      expect(first?.priority).toBe(1);
      if (first !== undefined) turns.charge(first, 1);
    }
  });

  test('a workspace with a million messages does not delay the ten of another', () => {
    const turns = createTurns();
    for (let n = 0; n < 1_000; n++) turns.charge(due('busy', 4), 500);
    expect(turns.order([due('busy', 4), due('small', 4)])[0]?.workspaceId).toBe('small');
    // Nor has it saved up turns: after its ten, the other goes on.
    turns.charge(due('small', 4), 10);
    const next = turns.order([due('busy', 4), due('small', 4)])[0];
    expect(next?.workspaceId).toBe('small');
    turns.charge(due('small', 4), 500);
    expect(turns.order([due('busy', 4), due('small', 4)])[0]?.workspaceId).toBe('busy');
  });

  test('workspaces share by messages, in proportion to their weights', () => {
    const got = serve(600, [due('a', 4), due('b', 4), due('c', 4, 2)]);
    expect(got.get('a4')).toBe(150);
    expect(got.get('b4')).toBe(150);
    expect(got.get('c4')).toBe(300);
    // Who sends small batches has more turns, not more messages.
    const bySize = serve(110, [due('a', 4), due('b', 4)], ({ workspaceId }) => (workspaceId === 'a' ? 500 : 50));
    expect(bySize.get('b4')).toBe(100);
    expect(bySize.get('a4')).toBe(10);
  });

  test('whoever is due has a turn before long, whatever the weights', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 }), (weights) => {
        const all = weights.map((weight, n) => due(`w${n}`, 1 + (n % 4), weight));
        const got = serve(40 * 40, all);
        return all.every((one) => (got.get(`${one.workspaceId}${one.priority}`) ?? 0) > 0);
      }),
    );
  });
});
