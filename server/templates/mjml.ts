import { Worker } from 'node:worker_threads';
import type { MjmlError } from './mjml.rules.ts';

export type MjmlResult =
  { readonly html: string; readonly errors: readonly MjmlError[] } | { readonly failure: string };

export interface MjmlCompiler {
  compile(mjml: string): Promise<MjmlResult>;
  close(): Promise<void>;
}

interface Waiting {
  readonly done: (result: MjmlResult) => void;
  readonly timer: NodeJS.Timeout;
}

type Reply = { readonly id: number } & MjmlResult;

/**
 * MJML in a thread of its own: it is not written for hostile input, a page of it takes tens of milliseconds in which
 * nothing could be sent, and its libraries hold some 100 MB, which an idle installation gives back.
 */
export function createMjmlCompiler({ timeoutMs = 10_000, idleMs = 60_000 } = {}): MjmlCompiler {
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let lastId = 0;
  const waiting = new Map<number, Waiting>();

  const stop = async (failure: string) => {
    clearTimeout(idle);
    const stopped = worker;
    worker = undefined;
    for (const [id, one] of waiting) {
      clearTimeout(one.timer);
      waiting.delete(id);
      one.done({ failure });
    }
    await stopped?.terminate();
  };
  const settle = (id: number, result: MjmlResult) => {
    const one = waiting.get(id);
    if (one === undefined) return;
    clearTimeout(one.timer);
    waiting.delete(id);
    one.done(result);
    if (waiting.size > 0) return;
    worker?.unref();
    idle = setTimeout(() => void stop('stopped'), idleMs).unref();
  };
  const start = (): Worker => {
    const started = new Worker(new URL('./mjml.worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 384 },
      stdout: true,
      stderr: true,
    });
    started.on('message', ({ id, ...result }: Reply) => settle(id, result));
    const lost = (failure: string) => {
      if (worker === started) void stop(failure);
    };
    started.on('error', (error) =>
      lost(error instanceof RangeError ? 'is nested too deeply' : 'MJML ran out of memory'),
    );
    started.on('exit', () => lost('MJML stopped'));
    return started;
  };

  return {
    compile: (mjml) =>
      new Promise((done) => {
        clearTimeout(idle);
        worker ??= start();
        worker.ref();
        const id = (lastId += 1);
        const timer = setTimeout(() => void stop(`takes longer than ${timeoutMs / 1000} s to compile`), timeoutMs);
        waiting.set(id, { done, timer });
        worker.postMessage({ id, mjml });
      }),
    close: () => stop('stopped'),
  };
}
