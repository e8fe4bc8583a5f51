import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from './errors.ts';

/** Files that belong to rows: uploads, exports. Keys are made by the server (never by a caller): `imports/<id>.csv`. */
export interface ObjectStore {
  /** Streams to a temporary name and renames when whole, so that a reader never sees half a file. Larger than the limit: refused, nothing left. */
  write(key: string, source: Readable, limitBytes: number): Promise<{ sizeBytes: number }>;
  /** From byte `start`. */
  read(key: string, start?: number): Readable;
  size(key: string): Promise<number>;
  /** Where a thread of this process can open it by itself. */
  pathOf(key: string): string;
  remove(key: string): Promise<void>;
  /** Keys of what nobody has written to since: whole files, and what a writer left that died. */
  idleSince(before: Temporal.Instant): Promise<string[]>;
}

export function createFolderStore(folder: string): ObjectStore {
  const path = (key: string) => {
    const clean = normalize(key);
    if (clean.startsWith('..') || clean.startsWith('/')) throw new Error(`object key leaves its folder: ${key}`);
    return join(folder, clean);
  };
  return {
    write: async (key, source, limitBytes) => {
      const target = path(key);
      const partial = `${target}.partial`;
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      let sizeBytes = 0;
      const counted = new Transform({
        transform: (chunk: Buffer, _encoding, next) => {
          sizeBytes += chunk.length;
          if (sizeBytes > limitBytes)
            return next(new AppError('body-too-large', `The file is larger than ${limitBytes} bytes.`));
          next(null, chunk);
        },
      });
      try {
        await pipeline(source, counted, createWriteStream(partial, { mode: 0o600 }));
        await rename(partial, target);
      } catch (error) {
        await rm(partial, { force: true });
        throw isFull(error) ? new AppError('storage-full', 'The file could not be kept.', { cause: error }) : error;
      }
      return { sizeBytes };
    },
    read: (key, start = 0) => createReadStream(path(key), { start }),
    pathOf: path,
    size: async (key) => (await stat(path(key))).size,
    remove: (key) => rm(path(key), { force: true }),
    idleSince: async (before) => {
      const idle: string[] = [];
      for (const key of await filesIn(folder)) {
        const found = await stat(path(key)).catch(() => undefined);
        // What is gone by now was removed, or renamed when it was whole.
        if (found?.isFile() === true && found.mtimeMs < before.epochMilliseconds) idle.push(key);
      }
      return idle;
    },
  };
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder, { recursive: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
