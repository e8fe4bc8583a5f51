import { Worker } from 'node:worker_threads';
import type { MjmlError } from './mjml.rules.ts';

export type MjmlResult =
  { readonly html: string; readonly errors: readonly MjmlError[] } | { readonly failure: string };

export interface MjmlCompiler {
  compile(mjml: string): Promise<MjmlResult>;
  close(): Promise<void>;
}

interface Job {
  readonly mjml: string;
  readonly done: (result: MjmlResult) => void;
}

/** Loading MJML takes a second, or ten on a machine that is busy; that is not the template's fault. */
const startMs = 60_000;

interface Thread {
  readonly worker: Worker;
  isReady: boolean;
}

type News = 'ready' | { readonly result: MjmlResult } | { readonly lost: string };

function createThread(tell: (news: News) => void): Thread {
  const worker = new Worker(new URL('./mjml.worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 384 },
    stdout: true,
    stderr: true,
  });
  const thread = { worker, isReady: false };
  worker.on('message', (message: MjmlResult | 'ready') => {
    if (message === 'ready') thread.isReady = true;
    tell(message === 'ready' ? 'ready' : { result: message });
  });
  worker.on('error', (error) =>
    tell({ lost: error instanceof RangeError ? 'is nested too deeply' : 'MJML ran out of memory' }),
  );
  worker.on('exit', () => tell({ lost: 'MJML stopped' }));
  return thread;
}

/** One timer at a time; it keeps no process alive. */
function createAlarm() {
  let timer: NodeJS.Timeout | undefined;
  return {
    clear: () => clearTimeout(timer),
    set: (ms: number, ring: () => void) => {
      clearTimeout(timer);
      timer = setTimeout(ring, ms).unref();
    },
  };
}

/**
 * MJML in a thread of its own, one template at a time: it is not written for hostile input, a page of it takes tens of
 * milliseconds in which nothing could be sent, and its libraries hold some 100 MB, which an idle installation gives back.
 * A template that takes too long costs the thread its life, and nobody else their turn.
 */
export function createMjmlCompiler({ timeoutMs = 5_000, idleMs = 60_000 } = {}): MjmlCompiler {
  const queue: Job[] = [];
  let current: Job | undefined;
  let thread: Thread | undefined;
  const alarm = createAlarm();

  const drop = async () => {
    alarm.clear();
    const dropped = thread;
    thread = undefined;
    await dropped?.worker.terminate();
  };
  const settle = (result: MjmlResult) => {
    alarm.clear();
    const settled = current;
    current = undefined;
    settled?.done(result);
    next();
  };
  const fail = (failure: string) => void drop().then(() => settle({ failure }));
  const post = () => {
    if (current === undefined || thread === undefined) return;
    const limit = thread.isReady ? timeoutMs : startMs;
    alarm.set(limit, () => fail(`takes longer than ${limit / 1000} s to compile`));
    if (thread.isReady) thread.worker.postMessage(current.mjml);
  };
  const start = (): Thread => {
    const started: Thread = createThread((news) => {
      if (thread !== started) return;
      if (news === 'ready') post();
      else if ('result' in news) settle(news.result);
      else fail(news.lost);
    });
    return started;
  };
  function next(): void {
    if (current !== undefined) return;
    current = queue.shift();
    if (current === undefined) {
      thread?.worker.unref();
      alarm.set(idleMs, () => void drop());
      return;
    }
    thread ??= start();
    thread.worker.ref();
    post();
  }

  return {
    compile: (mjml) =>
      new Promise((done) => {
        queue.push({ mjml, done });
        next();
      }),
    close: async () => {
      for (const job of [current, ...queue.splice(0)]) job?.done({ failure: 'stopped' });
      current = undefined;
      await drop();
    },
  };
}
