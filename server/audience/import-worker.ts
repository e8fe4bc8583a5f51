import { createReadStream } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../platform/clock.ts';
import { openKeys } from '../platform/sealing.ts';
import { readPages } from './import-pages.ts';
import { pack } from './import-parcel.ts';
import { UnreadableFileError } from './import-reader.ts';
import type { ThreadAnswer, ThreadAsk, ThreadStart } from './import-thread.ts';

/** The thread that reads a large file: a page for every time it is asked, no more than one ahead. */
const { path, row, settings, keys, pageRows } = workerData as ThreadStart;

let mostlyNew = true;
const pages = readPages(
  { clock: systemClock, objects: { read: (_key, start = 0) => createReadStream(path, { start }) }, pageRows },
  { row, settings, keys: openKeys(keys) },
  () => mostlyNew,
);

async function next(): Promise<ThreadAnswer> {
  try {
    const { value, done } = await pages.next();
    return done === true ? { kind: 'end' } : { kind: 'page', parcel: pack(value) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', of: error instanceof UnreadableFileError ? 'file' : 'reading', reason };
  }
}

async function answerTo(ask: ThreadAsk): Promise<void> {
  ({ mostlyNew } = ask);
  const answer = await next();
  const transfer = answer.kind === 'page' ? [answer.parcel.bytes.buffer, answer.parcel.lengths.buffer] : [];
  parentPort?.postMessage(answer, transfer);
}

parentPort?.on('message', (ask: ThreadAsk) => void answerTo(ask));
