import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Log } from './platform/log.ts';
import { createLog } from './platform/log.ts';
import { askedToStop, stopInTime } from './stopping.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** The log, with its errors written down. */
function notedLog(): { log: Log; errors: unknown[] } {
  const errors: unknown[] = [];
  const log = createLog('silent');
  vi.spyOn(log, 'error').mockImplementation((...words: unknown[]) => void errors.push(words.at(-1)));
  return { log, errors };
}

describe('a stop', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('is asked for by %s, once', async (signal) => {
    const before = process.listenerCount(signal);
    const asked = askedToStop();
    const ours = process.listeners(signal).at(-1);
    if (ours === undefined) throw new Error('nobody listens');
    // To our listener alone: the test runner has its own.
    ours(signal);
    expect(await asked).toBe(signal);
    process.removeListener(signal, ours);
    expect(process.listenerCount(signal)).toBe(before);
  });

  test('that goes in order leaves the process to end by itself', async () => {
    vi.useFakeTimers();
    const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`exit ${code}`);
    });
    const { log, errors } = notedLog();
    let stopped = false;
    await stopInTime(async () => void (stopped = true), log);
    expect(stopped).toBe(true);
    vi.advanceTimersByTime(60_000);
    expect(exit).not.toHaveBeenCalled();
    expect(errors).toEqual([]);
  });

  test('that hangs is cut off after ten seconds, with exit code 1 and a word in the log', async () => {
    vi.useFakeTimers();
    const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
    const { log, errors } = notedLog();
    let letGo: () => void = () => undefined;
    const stopping = stopInTime(() => new Promise((resolve) => (letGo = resolve)), log);
    vi.advanceTimersByTime(9_999);
    expect(exit).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(exit).toHaveBeenCalledExactlyOnceWith(1);
    expect(errors).toEqual(['not everything ended in time']);
    letGo();
    await stopping;
  });
});
