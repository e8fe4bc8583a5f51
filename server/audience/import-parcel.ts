import type { WorkspaceKeys } from '../platform/sealing.ts';
import type { GivenContact } from './import-row.rules.ts';
import type { Page } from './import-pages.ts';
import type { Cursor, Rejection } from './import.store.ts';
import type { Prepared } from './upsert.ts';

/**
 * A page on its way from one thread to another: plain data that is copied, and all its bytes (hashes, salts, keys, sealed
 * values) in one piece that changes hands without a copy; a buffer each would cost more than the rest of the page.
 */
export interface Parcel {
  readonly people: readonly {
    readonly given: GivenContact;
    readonly id: string;
    readonly addressIds: readonly string[];
    readonly versions: readonly number[];
    readonly isSealed: boolean;
  }[];
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Length of each piece in `bytes`, in the order in which they are taken out again. */
  readonly lengths: Uint16Array<ArrayBuffer>;
  readonly rejections: readonly Rejection[];
  readonly refusedRows: number;
  readonly end: Cursor;
}

function piecesOf({ hashes, ahead }: Prepared): Uint8Array[] {
  const found = hashes.map((one) => one.hash);
  return ahead === undefined ? found : [...found, ahead.salt, ahead.key.bytes, ...ahead.sealed];
}

export function pack({ prepared, rejections, refusedRows, end }: Page): Parcel {
  const pieces = prepared.flatMap(piecesOf);
  const lengths = Uint16Array.from(pieces, (piece) => piece.length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  const people = prepared.map(({ given, id, addressIds, hashes, ahead }) => {
    return { given, id, addressIds, versions: hashes.map((one) => one.version), isSealed: ahead !== undefined };
  });
  return { people, bytes, lengths, rejections, refusedRows, end };
}

export function unpack(keys: WorkspaceKeys, parcel: Parcel): Page {
  const { bytes, lengths, rejections, refusedRows, end } = parcel;
  let at = 0;
  let piece = 0;
  const take = (): Buffer => {
    const length = lengths[piece++] ?? 0;
    at += length;
    return Buffer.from(bytes.buffer, at - length, length);
  };
  const prepared = parcel.people.map(({ given, id, addressIds, versions, isSealed }): Prepared => {
    const hashes = versions.map((version) => ({ hash: take(), version }));
    if (!isSealed) return { given, id, addressIds, hashes, ahead: undefined };
    const salt = take();
    const key = keys.contactKeyFrom(take());
    return { given, id, addressIds, hashes, ahead: { salt, key, sealed: versions.map(take) } };
  });
  return { prepared, rejections, refusedRows, end };
}
