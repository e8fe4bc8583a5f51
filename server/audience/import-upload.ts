import { isAscii, isUtf8 } from 'node:buffer';
import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import iconv from 'iconv-lite';
import { AppError } from '../platform/errors.ts';
import type { ObjectStore } from '../platform/objects.ts';
import { detectCsv, foreignFormat, sampleBytes } from './csv-detect.rules.ts';
import type { CsvShape, Delimiter, Encoding } from './csv-detect.rules.ts';
import type { Cursor } from './import.store.ts';

/** What was asked for when the file came. */
export interface Asked {
  readonly delimiter?: Delimiter | undefined;
  readonly encoding?: Encoding | undefined;
}

/** A file as it is kept: UTF-8, so that a run can go on from any byte. */
export interface KeptFile {
  readonly objectKey: string;
  readonly sizeBytes: number;
  readonly shape: CsvShape;
  /** Where the header starts. */
  readonly start: Cursor;
}

export function notCsv(reason: string): AppError {
  return new AppError('import/not-csv', `The file ${reason}.`, { errors: [{ pointer: '/file', message: reason }] });
}

/** Watches a file go by: keeps its beginning, and learns whether all of it is UTF-8. */
function createWatch() {
  const parts: Buffer[] = [];
  let kept = 0;
  let total = 0;
  let valid = true;
  let rest = Buffer.alloc(0);
  const checkUtf8 = (chunk: Buffer) => {
    const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    // A character of up to four bytes may be cut by the end of the chunk.
    for (let cut = 0; cut <= 3; cut++) {
      if (!isUtf8(text.subarray(0, text.length - cut))) continue;
      rest = Buffer.from(text.subarray(text.length - cut));
      return;
    }
    valid = false;
  };
  const stream = new Transform({
    transform: (chunk: Buffer, _encoding, next) => {
      if (kept < sampleBytes) {
        const part = chunk.subarray(0, sampleBytes - kept);
        parts.push(Buffer.from(part));
        kept += part.length;
      }
      const isFirst = total === 0;
      total += chunk.length;
      if (valid) checkUtf8(chunk);
      const foreign = isFirst ? foreignFormat(chunk) : undefined;
      // Told at once, not after half a gigabyte.
      next(foreign === undefined ? null : notCsv(`is not CSV but ${foreign}`), chunk);
    },
  });
  return {
    stream,
    sample: () => Buffer.concat(parts),
    isWhole: () => total <= sampleBytes,
    isUtf8: () => valid && rest.length === 0,
  };
}

/** A file that is plain ASCII for a megabyte and then is not UTF-8 is an old Western one. */
function judge(watch: ReturnType<typeof createWatch>, asked: Asked): CsvShape {
  const sample = watch.sample();
  const found = detectCsv(sample, watch.isWhole(), asked);
  if (!found.ok) throw notCsv(found.reason);
  const { shape } = found;
  const guessed = asked.encoding === undefined && shape.byteOrderMark === 0 && shape.encoding === 'utf-8';
  return guessed && !watch.isUtf8() && isAscii(sample) ? { ...shape, encoding: 'windows-1252' } : shape;
}

/** Where an upload lies before it is known what it is. */
export const rawKeyOf = (id: string) => `imports/${id}.csv`;

export type FinishUpload = (asked: Asked) => Promise<KeptFile>;

/**
 * Streams an upload into the store. Its options may come after the file, so the second half (what it is, and
 * turning it into UTF-8) is a function to be called when they are known. Whatever fails, nothing is left behind.
 */
export async function receiveUpload(
  objects: ObjectStore,
  source: Readable,
  id: string,
  limitBytes: number,
): Promise<FinishUpload> {
  const rawKey = rawKeyOf(id);
  const watch = createWatch();
  // Both ends: a client that goes away breaks the writing, a refusal lets go of the client's stream.
  const [flow, written] = await Promise.allSettled([
    pipeline(source, watch.stream),
    objects.write(rawKey, watch.stream, limitBytes),
  ]);
  const failures = [flow, written].filter((one) => one.status === 'rejected').map((one): unknown => one.reason);
  if (failures.length > 0) {
    await objects.remove(rawKey);
    // One end's refusal is the reason; the other end only saw its stream break.
    throw failures.find((one) => one instanceof AppError) ?? failures[0];
  }
  const sizeBytes = written.status === 'fulfilled' ? written.value.sizeBytes : 0;
  return async (asked) => {
    try {
      const shape = judge(watch, asked);
      const lines = shape.preamble > 0 ? 1 : 0;
      if (shape.encoding === 'utf-8')
        return { objectKey: rawKey, sizeBytes, shape, start: { offset: shape.byteOrderMark + shape.preamble, lines } };
      const objectKey = `imports/${id}.utf8.csv`;
      const decoded = objects.read(rawKey).pipe(iconv.decodeStream(shape.encoding)).pipe(iconv.encodeStream('utf-8'));
      // One byte of any of the other encodings becomes three at most.
      const converted = await objects.write(objectKey, decoded as Readable & NodeJS.ReadWriteStream, limitBytes * 3);
      await objects.remove(rawKey);
      return { objectKey, sizeBytes: converted.sizeBytes, shape, start: { offset: shape.preamble, lines } };
    } catch (error) {
      await objects.remove(rawKey);
      throw error;
    }
  };
}

/** The beginning of a file, for a look at it. The rest is read past: the form's other parts come after it. */
export async function readSample(source: Readable): Promise<{ sample: Buffer; isWhole: boolean }> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    if (size < sampleBytes) parts.push(chunk);
    size += chunk.length;
  }
  return { sample: Buffer.concat(parts).subarray(0, sampleBytes), isWhole: size <= sampleBytes };
}
