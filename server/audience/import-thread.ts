import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ObjectStore } from '../platform/objects.ts';
import type { KeyMaterial } from '../platform/sealing.ts';
import type { Page, Started } from './import-pages.ts';
import { unpack } from './import-parcel.ts';
import type { Parcel } from './import-parcel.ts';
import { UnreadableFileError } from './import-reader.ts';
import type { ImportRow } from './import.store.ts';

/** What the thread is started with. */
export interface ThreadStart {
  readonly path: string;
  /** Its times are not plain data, and the thread needs none of them. */
  readonly row: Pick<ImportRow, 'objectKey' | 'cursor'>;
  readonly settings: Started['settings'];
  readonly keys: KeyMaterial;
  readonly pageRows: number;
}

/** Asks the thread for the next page. */
export interface ThreadAsk {
  readonly mostlyNew: boolean;
}

export type ThreadAnswer =
  | { readonly kind: 'page'; readonly parcel: Parcel }
  | { readonly kind: 'end' }
  /** `file`: it cannot be read on, which no second attempt would change. */
  | { readonly kind: 'failed'; readonly of: 'file' | 'reading'; readonly reason: string };

/** It holds two pages at most; a file can not make it grow beyond this. */
const heapMb = 160;

function startThread(path: string, pageRows: number, { row, settings, keys }: Started): Worker {
  const { objectKey, cursor } = row;
  const start: ThreadStart = { path, row: { objectKey, cursor }, settings, keys: keys.material, pageRows };
  return new Worker(new URL('./import-worker.ts', import.meta.url), {
    workerData: start,
    execArgv: [],
    env: {},
    name: 'import',
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
}

/**
 * As `readPages`, with the reading, parsing and sealing in a thread of its own: on two cores the database, this thread and
 * that one then work side by side. The next page is asked for when the one before is taken.
 */
export async function* readPagesAside(
  deps: { readonly objects: Pick<ObjectStore, 'pathOf'>; readonly pageRows: number },
  started: Started,
  mostlyNew: () => boolean,
): AsyncGenerator<Page> {
  const thread = startThread(deps.objects.pathOf(started.row.objectKey), deps.pageRows, started);
  const ended = once(thread, 'exit').then((): ThreadAnswer => {
    return { kind: 'failed', of: 'reading', reason: 'the thread that reads the file ended' };
  });
  // A failure of the thread itself (out of memory, say) is met where the next answer is awaited.
  ended.catch(() => undefined);
  try {
    for (;;) {
      const ask: ThreadAsk = { mostlyNew: mostlyNew() };
      const answered = once(thread, 'message').then(([message]) => message as ThreadAnswer);
      answered.catch(() => undefined);
      thread.postMessage(ask);
      const answer = await Promise.race([answered, ended]);
      if (answer.kind === 'end') return;
      if (answer.kind === 'failed')
        throw answer.of === 'file' ? new UnreadableFileError(answer.reason) : new Error(answer.reason);
      yield unpack(started.keys, answer.parcel);
    }
  } finally {
    await thread.terminate();
  }
}
