import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { AppError } from '../platform/errors.ts';
import { weakness } from './password.rules.ts';
import './errors.ts';
import { createSlots } from './slots.ts';

/** Argon2id as OWASP's cheat sheet asks (19 MiB, 2 passes, 1 lane): about 40 ms and 19 MiB each. */
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
const saltBytes = 16;

export interface PasswordHasher {
  /** PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
  hash(password: string): Promise<string>;
  verify(stored: string, password: string): Promise<boolean>;
}

export interface HasherLimits {
  /** How many at a time: bounds memory, and leaves threads for files and name look-ups. */
  readonly atOnce?: number;
  /** How many may wait; more are turned away rather than left to time out. */
  readonly waiting?: number;
}

/** Hashes off the main thread, a few at a time. */
export function createPasswordHasher({ atOnce = 2, waiting = 500 }: HasherLimits = {}): PasswordHasher {
  const slot = createSlots(atOnce, waiting, tooBusy);
  return {
    hash: (password) =>
      slot(async () => {
        const salt = randomBytes(saltBytes);
        const tag = await derive(password, salt, cost);
        return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
      }),
    verify: (stored, password) =>
      slot(async () => {
        const parsed = parse(stored);
        if (parsed === undefined) return false;
        const tag = await derive(password, parsed.salt, { ...parsed, tagLength: parsed.tag.length });
        return timingSafeEqual(tag, parsed.tag);
      }),
  };
}

/** Throws `auth/weak-password` with the reason at the field. */
export function assertStrong(password: string, email: string, pointer = '/password'): void {
  const reason = weakness(password, email);
  if (reason === undefined) return;
  throw new AppError('auth/weak-password', `The password ${reason}.`, { errors: [{ pointer, message: reason }] });
}

export function tooBusy(): AppError {
  return new AppError('auth/busy', 'Too many sign-ins at once. Try again in a moment.', {
    headers: { 'retry-after': '2' },
  });
}

type Cost = {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly tagLength: number;
};

function derive(password: string, salt: Buffer, { memory, passes, parallelism, tagLength }: Cost): Promise<Buffer> {
  const parameters = { message: password.normalize('NFKC'), nonce: salt, memory, passes, parallelism, tagLength };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, tag) => (error === null ? resolve(Buffer.from(tag)) : reject(error)));
  });
}

const shape = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

function parse(stored: string): (Cost & { salt: Buffer; tag: Buffer }) | undefined {
  const [, memory, passes, parallelism, salt, tag] = shape.exec(stored) ?? [];
  if (salt === undefined || tag === undefined) return undefined;
  const bytes = Buffer.from(tag, 'base64');
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: bytes.length,
    salt: Buffer.from(salt, 'base64'),
    tag: bytes,
  };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
