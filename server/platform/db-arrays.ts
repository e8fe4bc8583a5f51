/**
 * Lists as PostgreSQL takes them in binary: a set-based statement gets its rows as one list a column, and written as text
 * each element would be escaped here and parsed there. Layout: array_recv and the `…recv` of each type in PostgreSQL's
 * `src/backend/utils/adt` (dimensions, whether nulls are among them, type of the elements, length, lower bound; then each
 * element with its length before it, -1 for null).
 */

type Write = (into: Scratch, value: unknown) => boolean;

interface ElementType {
  readonly oid: number;
  /** False: a value that this does not know how to write; the whole list then goes as text. */
  readonly write: Write;
}

interface Scratch {
  bytes: Buffer;
  at: number;
}

const headerBytes = 20;
const scratch: Scratch = { bytes: Buffer.allocUnsafeSlow(64 * 1024), at: 0 };

function reserve(into: Scratch, most: number): void {
  if (into.at + most <= into.bytes.length) return;
  const larger = Buffer.allocUnsafeSlow((into.at + most) * 2);
  into.bytes.copy(larger, 0, 0, into.at);
  into.bytes = larger;
}

function writeSize(into: Scratch, size: number): void {
  into.at = into.bytes.writeInt32BE(size, into.at);
}

function writeText(into: Scratch, value: unknown): boolean {
  if (typeof value !== 'string' && typeof value !== 'number') return false;
  const text = String(value);
  reserve(into, 4 + text.length * 3);
  const size = into.bytes.write(text, into.at + 4, 'utf8');
  writeSize(into, size);
  into.at += size;
  return true;
}

function writeBytes(into: Scratch, value: unknown): boolean {
  if (!(value instanceof Uint8Array)) return false;
  reserve(into, 4 + value.length);
  writeSize(into, value.length);
  into.bytes.set(value, into.at);
  into.at += value.length;
  return true;
}

const hexOf = new Int8Array(128).fill(-1);
for (const [at, digit] of [...'0123456789abcdef'].entries()) {
  hexOf[digit.charCodeAt(0)] = at;
  hexOf[digit.toUpperCase().charCodeAt(0)] = at;
}

/** 36 characters, dashes where they belong; anything else is left to PostgreSQL to read or refuse. */
function writeUuid(into: Scratch, value: unknown): boolean {
  if (typeof value !== 'string' || value.length !== 36) return false;
  reserve(into, 20);
  writeSize(into, 16);
  for (let at = 0; at < 36; at += 2) {
    if (at === 8 || at === 13 || at === 18 || at === 23) {
      if (value.charCodeAt(at) !== 0x2d) return false;
      at++;
    }
    const high = hexOf[value.charCodeAt(at)] ?? -1;
    const low = hexOf[value.charCodeAt(at + 1)] ?? -1;
    if (high < 0 || low < 0) return false;
    into.bytes[into.at++] = (high << 4) | low;
  }
  return true;
}

function integer(size: 2 | 4, least: number, most: number): Write {
  return (into, value) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) return false;
    reserve(into, 4 + size);
    writeSize(into, size);
    into.at = into.bytes.writeIntBE(value, into.at, size);
    return true;
  };
}

function writeInt64(into: Scratch, value: bigint): true {
  reserve(into, 12);
  writeSize(into, 8);
  into.at = into.bytes.writeBigInt64BE(value, into.at);
  return true;
}

/** Microseconds from the epoch of PostgreSQL, 2000-01-01, to that of Unix. */
const epochMicroseconds = 946_684_800_000_000n;

const types: Readonly<Record<string, ElementType>> = {
  text: { oid: 25, write: writeText },
  bytea: { oid: 17, write: writeBytes },
  uuid: { oid: 2950, write: writeUuid },
  smallint: { oid: 21, write: integer(2, -0x8000, 0x7fff) },
  int: { oid: 23, write: integer(4, -0x80000000, 0x7fffffff) },
  integer: { oid: 23, write: integer(4, -0x80000000, 0x7fffffff) },
  bigint: {
    oid: 20,
    write: (into, value) =>
      typeof value === 'number' && Number.isSafeInteger(value) ? writeInt64(into, BigInt(value)) : false,
  },
  boolean: {
    oid: 16,
    write: (into, value) => {
      if (typeof value !== 'boolean') return false;
      reserve(into, 5);
      writeSize(into, 1);
      into.bytes[into.at++] = value ? 1 : 0;
      return true;
    },
  },
  timestamptz: {
    oid: 1184,
    write: (into, value) =>
      value instanceof Temporal.Instant
        ? writeInt64(into, BigInt.asIntN(64, microsecondsOf(value) - epochMicroseconds))
        : false,
  },
};

/** Rounded down, as the text of a time with more digits than microseconds would be cut. */
function microsecondsOf(instant: Temporal.Instant): bigint {
  const nanoseconds = instant.epochNanoseconds;
  const whole = nanoseconds / 1000n;
  return nanoseconds < 0n && nanoseconds % 1000n !== 0n ? whole - 1n : whole;
}

/**
 * The list in binary, or undefined when a value in it is not of the plain form its type has: then it is for the
 * driver's text form, and for PostgreSQL to refuse.
 */
export function encodeList(type: string, values: readonly unknown[]): Buffer | undefined {
  const element = types[type];
  if (element === undefined) return undefined;
  const into = scratch;
  into.at = headerBytes;
  let hasNull = 0;
  for (const value of values) {
    if (value === null || value === undefined) {
      hasNull = 1;
      reserve(into, 4);
      writeSize(into, -1);
    } else if (!element.write(into, value)) return undefined;
  }
  const { bytes } = into;
  bytes.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  bytes.writeInt32BE(hasNull, 4);
  bytes.writeInt32BE(element.oid, 8);
  bytes.writeInt32BE(values.length, 12);
  bytes.writeInt32BE(1, 16);
  return Buffer.from(bytes.subarray(0, values.length === 0 ? 12 : into.at));
}

const listed = new Map<string, readonly (string | undefined)[]>();

/** The element types of the lists a statement takes, by the place of the parameter, as its casts (`$2::uuid[]`) name them. */
export function listTypes(text: string): readonly (string | undefined)[] {
  let known = listed.get(text);
  if (known === undefined) {
    const found: (string | undefined)[] = [];
    for (const [, place, type] of text.matchAll(/\$(\d+)::([a-z]+)\[\]/gu)) found[Number(place) - 1] = type;
    known = found;
    listed.set(text, known);
  }
  return known;
}
