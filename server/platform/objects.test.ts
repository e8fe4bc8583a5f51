import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFolderStore } from './objects.ts';
import type { ObjectStore } from './objects.ts';

let folder: string;
let store: ObjectStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-objects-'));
  store = createFolderStore(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const files = () => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name !== 'imports');

describe('a file that is kept', () => {
  test('is there whole, from any byte on, until it is removed', async () => {
    expect(await store.write('imports/a.csv', Readable.from(['one,', 'two']), 100)).toEqual({ sizeBytes: 7 });
    expect(await text(store.read('imports/a.csv'))).toBe('one,two');
    expect(await text(store.read('imports/a.csv', 4))).toBe('two');
    expect(await store.size('imports/a.csv')).toBe(7);
    await store.remove('imports/a.csv');
    await store.remove('imports/a.csv');
    expect(files()).toEqual([]);
  });

  test('cannot lie outside its folder', async () => {
    for (const key of ['../a', 'imports/../../a', '/etc/passwd'])
      await expect(store.write(key, Readable.from(['x']), 100)).rejects.toThrow('leaves its folder');
    expect(existsSync(join(folder, '..', 'a'))).toBe(false);
  });
});

describe('nothing is left of a file', () => {
  test('that is larger than it may be', async () => {
    const source = Readable.from(Array.from({ length: 100 }, () => 'x'.repeat(1000)));
    await expect(store.write('imports/a.csv', source, 5_000)).rejects.toMatchObject({ code: 'body-too-large' });
    expect(files()).toEqual([]);
  });

  test('whose sender went away', async () => {
    const source = new Readable({
      read() {
        this.push('x');
        this.destroy(new Error('gone'));
      },
    });
    await expect(store.write('imports/a.csv', source, 100)).rejects.toThrow('gone');
    expect(files()).toEqual([]);
  });

  // Linux has a device that is always full.
  test.skipIf(!existsSync('/dev/full'))('that the disk has no room for, and that is told', async () => {
    mkdirSync(join(folder, 'imports'));
    symlinkSync('/dev/full', join(folder, 'imports', 'a.csv.partial'));
    const writing = store.write('imports/a.csv', Readable.from(['x'.repeat(100_000)]), 1_000_000);
    await expect(writing).rejects.toMatchObject({ code: 'storage-full', cause: { code: 'ENOSPC' } });
    expect(files()).toEqual([]);
  });
});
