import type { Clock } from '../platform/clock.ts';
import type { HttpClient } from '../platform/http-client.ts';
import type { Log } from '../platform/log.ts';
import { callbackDelays } from './scenario.rules.ts';
import type { Scenarios } from './scenarios.ts';
import type { CallbackDraft } from './vendor.ts';

/** Makes the callbacks of the vendors that the sandbox plays: to this Parley only, whoever a request may name. */
export interface Post {
  later(workspaceId: string, draft: CallbackDraft): void;
  /** At once; gives the status that was answered, undefined when nothing was. */
  now(draft: CallbackDraft): Promise<number | undefined>;
  /** Callbacks that are still to be made. */
  waiting(): number;
  close(): void;
}

export interface PostDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly http: HttpClient;
  readonly scenarios: Scenarios;
  readonly random: () => number;
  /** Public origin: what callbacks are addressed to. */
  origin(): string;
  /** Where this process really listens. */
  localOrigin(): string;
}

const mostPending = 100_000;
const atOnce = 16;
const answerMs = 15_000;
/** As vendors do, though they have more patience. */
const pauses = [1_000, 5_000, 30_000];

export function createPost(deps: PostDeps): Post {
  const over = new AbortController();
  const turn = createTurns(atOnce);
  let pending = 0;

  const make = async (draft: CallbackDraft): Promise<number | undefined> => {
    const url = ownUrl(draft.url, deps.origin(), deps.localOrigin());
    if (url === undefined) return undefined;
    deps.http.trust(deps.localOrigin());
    const answer = await turn(() =>
      deps.http.call({
        method: draft.method,
        url,
        headers: draft.headers,
        ...(draft.method === 'POST' ? { body: draft.body } : {}),
        timeoutMs: answerMs,
        signal: over.signal,
      }),
    );
    return answer.kind === 'answer' ? answer.status : undefined;
  };

  const deliver = async (draft: CallbackDraft, afterMs: number) => {
    pending++;
    try {
      await deps.clock.sleep(afterMs, over.signal);
      for (const pause of [...pauses, undefined]) {
        if (over.signal.aborted) return;
        const status = await make(draft);
        if (status !== undefined && status < 500 && status !== 429) return;
        if (pause === undefined) deps.log.info({ status }, 'a callback of the sandbox was not taken');
        else await deps.clock.sleep(pause, over.signal);
      }
    } finally {
      pending--;
    }
  };

  return {
    waiting: () => pending,
    now: make,
    close: () => over.abort(),
    later: (workspaceId, draft) => {
      if (ownUrl(draft.url, deps.origin(), deps.localOrigin()) === undefined) {
        deps.log.info({ workspaceId }, 'a callback of the sandbox would have left this server: not made');
        return;
      }
      if (pending >= mostPending) {
        deps.log.warn({ workspaceId, pending }, 'too many callbacks of the sandbox wait: one was not made');
        return;
      }
      void deps.scenarios
        .of(workspaceId)
        .then(({ callbacks }) => callbackDelays(callbacks, draft.afterMs, deps.random))
        .then((delays) => Promise.all(delays.map((ms) => deliver(draft, ms))))
        .catch((error: unknown) => deps.log.warn({ err: error }, 'a callback of the sandbox failed'));
    },
  };
}

/** So many at a time; the others wait in order. */
function createTurns(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async (work) => {
    if (busy >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    busy++;
    try {
      return await work();
    } finally {
      busy--;
      waiting.shift()?.();
    }
  };
}

/** The same path where this process listens; undefined: it is somebody else's. */
function ownUrl(url: string, origin: string, localOrigin: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { origin: named, pathname, search } = new URL(url);
  const isOwn = named === new URL(origin).origin || named === new URL(localOrigin).origin;
  return isOwn ? `${new URL(localOrigin).origin}${pathname}${search}` : undefined;
}
