import { expect, test } from 'vitest';
import { createVirtualClock } from './clock.ts';
import { idBytes, idFromBytes, isId, newId, random } from './ids.ts';

test('ids are UUIDs of version 7 that carry the time, rise, and never repeat', () => {
  const clock = createVirtualClock('2040-01-01T00:00:00Z');
  const ids: string[] = [];
  for (let round = 0; round < 20; round++) {
    for (let one = 0; one < 1000; one++) ids.push(newId(clock));
    clock.advance(round % 3);
  }
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  expect(Number.parseInt((ids[0] ?? '').replaceAll('-', '').slice(0, 12), 16)).toBe(clock.now().epochMilliseconds - 19);
  const variants = new Set(ids.map((id) => id.charAt(19)));
  expect(variants).toEqual(new Set(['8', '9', 'a', 'b']));
});

test('an id survives its way through bytes', () => {
  const id = newId(createVirtualClock('2041-01-01T00:00:00Z'));
  expect(idFromBytes(idBytes(id))).toBe(id);
  expect(isId(id)).toBe(true);
  expect(isId(`${id}0`)).toBe(false);
});

test('random bytes are never handed out twice', () => {
  const seen = new Set<string>();
  for (let at = 0; at < 3000; at++) seen.add(random(12).toString('hex'));
  expect(seen.size).toBe(3000);
});
