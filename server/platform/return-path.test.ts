import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeReturnPath, readReturnPath } from './return-path.ts';

const key = randomBytes(32);
const target = { workspaceId: randomUUID(), messageId: randomUUID() };

describe('a return path', () => {
  it('fits a local part, names its message, and survives a change of case', () => {
    const local = makeReturnPath(key, target);
    expect(local).toMatch(/^[a-z2-7]{62}$/);
    expect(readReturnPath(local, () => key)).toEqual(target);
    expect(readReturnPath(local.toUpperCase(), () => key)).toEqual(target);
  });

  it('is asked for with the key of the workspace it names, and with no other key is it ours', () => {
    const local = makeReturnPath(key, target);
    const asked: string[] = [];
    expect(readReturnPath(local, (id) => (asked.push(id), randomBytes(32)))).toBeUndefined();
    expect(asked).toEqual([target.workspaceId]);
  });

  it('with any one character changed is none of ours', () => {
    const local = makeReturnPath(key, target);
    fc.assert(
      fc.property(fc.nat(60), fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567'), (place, char) => {
        const changed = `${local.slice(0, place + 1)}${char}${local.slice(place + 2)}`;
        return changed === local || readReturnPath(changed, () => key) === undefined;
      }),
    );
  });

  it.each(['', 'b', 'postmaster', `b${'a'.repeat(60)}`, `b${'1'.repeat(61)}`, `b${'a'.repeat(200)}`])(
    '%j is none',
    (local) => {
      expect(readReturnPath(local, () => key)).toBeUndefined();
    },
  );
});
