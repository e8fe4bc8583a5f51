import { readFileSync } from 'node:fs';

/**
 * Preloaded (`--import`) into a server that is to be tested with a wall clock that jumps: adds the milliseconds written in
 * the file `CRASH_CLOCK` to every reading, and looks into that file again and again. The steady clock and timers go on
 * as they do when somebody sets the time of a machine.
 */
const file = process.env['CRASH_CLOCK'] ?? '';
let shiftMs = 0;
const look = () => {
  try {
    shiftMs = Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    // Between two writings it is empty.
  }
};
look();
setInterval(look, 20).unref();

const now = Date.now.bind(Date);
Date.now = () => now() + shiftMs;
globalThis.Date = new Proxy(Date, {
  construct: (target, args: [number?]) =>
    args.length === 0 ? new target(now() + shiftMs) : new target(...(args as [number])),
  apply: () => new Date().toString(),
});
const instant = Temporal.Now.instant.bind(Temporal.Now);
Temporal.Now.instant = () => instant().add({ milliseconds: shiftMs });
