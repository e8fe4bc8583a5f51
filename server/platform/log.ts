import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

export type Log = Logger;

/** What must never reach a log, wherever it stands in the logged object. */
const secretKeys = [
  'password',
  'newPassword',
  'currentPassword',
  'secret',
  'secrets',
  'token',
  'authorization',
  'cookie',
  'key',
  'masterKey',
  'databaseUrl',
  'email',
  'phone',
  'to',
  'address',
  'value',
];

const paths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]).concat('req.headers', 'res.headers');

/** Structured logs: one JSON object a line, secrets and addresses replaced by `[hidden]`. */
export function createLog(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths, censor: '[hidden]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

export const silentLog: Log = pino({ level: 'silent' });
