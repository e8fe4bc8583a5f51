import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../platform/ids.ts';
import { createAudienceFixture } from './testing.ts';
import type { AudienceFixture } from './testing.ts';
import { createDesk } from './testing-import.ts';

let fixture: AudienceFixture;
let workspaceIds: string[];
beforeAll(async () => {
  fixture = await createAudienceFixture();
  workspaceIds = [await fixture.test.newWorkspace(), fixture.test.workspaceId];
});
afterAll(() => fixture.close());

const files = () => readdirSync(join(fixture.folder, 'imports')).toSorted();
function age(name: string, hours: number): void {
  const at = new Date(fixture.test.clock.now().subtract({ minutes: Math.round(hours * 60) }).epochMilliseconds);
  utimesSync(join(fixture.folder, 'imports', name), at, at);
}

/** An upload whose process is killed while the file comes in: what it wrote so far stays where it is. */
async function killedInside(id: string): Promise<string> {
  const source = new Readable({ read: () => undefined });
  source.push('email\nsomebody@example.com\n');
  void fixture.objects.write(`imports/${id}.csv`, source, 1_000_000).catch(() => undefined);
  const name = `${id}.csv.partial`;
  await expect.poll(files).toContain(name);
  return name;
}

test('files of uploads that died are removed once nobody can be writing them; those of imports stay', async () => {
  const { run } = createDesk(() => fixture);
  const kept = await run('email\nnot an address\nann@example.com\n');
  expect(kept.rejected).toBe(1);
  const killed = await killedInside(newId(fixture.test.clock));
  const alive = await killedInside(newId(fixture.test.clock));
  const orphan = newId(fixture.test.clock);
  await fixture.objects.write(`imports/${orphan}.csv`, Readable.from(['email\n']), 100);
  for (const name of [killed, `${orphan}.csv`, `${kept.id}.csv`]) age(name, 2.1);
  age(alive, 1.9);

  expect(await fixture.audience.dropOrphans(workspaceIds)).toBe(2);
  expect(files()).toEqual([`${kept.id}.csv`, alive].toSorted());
  expect(await fixture.audience.dropOrphans(workspaceIds)).toBe(0);
});

test('nothing is removed when it cannot be asked what is in use', async () => {
  await fixture.objects.write('imports/unknown.csv', Readable.from(['email\n']), 100);
  age('unknown.csv', 3);
  await expect(fixture.audience.dropOrphans(['not-a-workspace'])).rejects.toThrow();
  expect(files()).toContain('unknown.csv');
});

test('before the first upload there is no folder, and nothing to remove', async () => {
  const empty = await createAudienceFixture();
  expect(await empty.audience.dropOrphans([empty.test.workspaceId])).toBe(0);
  await empty.close();
});
