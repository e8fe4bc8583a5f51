import { Readable } from 'node:stream';
import type { ContactImport } from '../contract/imports.ts';
import { floorImport } from './floor-import.ts';
import { assertDurable, openFloor } from './floor-schema.ts';
import { csv } from './people.ts';
import { openRig, until } from './rig.ts';
import type { Server } from './rig.ts';

/** Consent evidence for every row, as an import with consent brings it. */
const consentOptions = (channel: string) => ({
  consent: { channel, topic: 'news', basis: 'consent', evidence: { source: 'bench', textVersion: '1' } },
});

/** Uploads `rows` invented people and waits until they are in. */
export async function importPeople(
  server: Server,
  key: string,
  rows: number,
  channel = 'email',
): Promise<{ seconds: number; done: ContactImport }> {
  const started = performance.now();
  const form = new FormData();
  form.append('options', JSON.stringify(consentOptions(channel)));
  form.append(
    'file',
    new Blob(await Array.fromAsync(Readable.from(csv(rows)), (piece: string) => piece)),
    'people.csv',
  );
  const { id } = await server.call<{ id: string }>('POST', '/contacts/import', form);
  void key;
  const done = await until(async () => {
    const state = await server.call<ContactImport>('GET', `/imports/${id}`);
    return state.state === 'running' ? undefined : state;
  });
  if (done.state !== 'done' || done.created !== rows)
    throw new Error(`the import did not take all: ${JSON.stringify(done)}`);
  return { seconds: (performance.now() - started) / 1000, done };
}

/** Rows a second through the API, upload included, beside the floor of the same run. */
export async function benchImport(rows: number, say: (line: string) => void): Promise<Record<string, number>> {
  const rig = await openRig();
  try {
    const server = await rig.startServer();
    await server.call('POST', '/topics', { key: 'news', name: 'News' });
    say(`importing ${rows.toLocaleString('en')} rows …`);
    const { seconds } = await importPeople(server, rig.key, rows);
    const peakRssMb = server.peakRssMb();
    const cpuSeconds = server.cpuSeconds();
    await server.stop();
    say(`  ${Math.round(rows / seconds)} rows/s, peak ${Math.round(peakRssMb)} MB; now the floor …`);
    const floor = await openFloor(rig.ownerUrl);
    await assertDurable(floor);
    const plain = await floorImport(floor, rows);
    await floor.end();
    return figures({ rows, seconds, floorSeconds: plain.seconds, peakRssMb, cpuSeconds });
  } finally {
    await rig.close();
  }
}

function figures({
  rows,
  seconds,
  floorSeconds,
  peakRssMb,
  cpuSeconds,
}: Record<'rows' | 'seconds' | 'floorSeconds' | 'peakRssMb' | 'cpuSeconds', number>) {
  const perSecond = rows / seconds;
  const floorPerSecond = rows / floorSeconds;
  return {
    rows,
    seconds: round(seconds),
    perSecond: Math.round(perSecond),
    floorPerSecond: Math.round(floorPerSecond),
    ratio: round(perSecond / floorPerSecond),
    duplicates: 0,
    lost: 0,
    peakRssMb: Math.round(peakRssMb),
    cpuSeconds: round(cpuSeconds),
  };
}

export function round(value: number, digits = 2): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
