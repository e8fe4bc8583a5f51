import type { Log } from './platform/log.ts';

const stopMs = 10_000;

/** Resolves with the signal that asks the process to end. */
export function askedToStop(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}

/** Ends in order; a part that hangs does not keep the process longer than 10 s. */
export async function stopInTime(stop: () => Promise<void>, log: Log): Promise<void> {
  const late = setTimeout(() => {
    log.error('not everything ended in time');
    process.exit(1);
  }, stopMs);
  await stop();
  clearTimeout(late);
}
