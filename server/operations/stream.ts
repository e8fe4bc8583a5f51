import { streamNews } from '../../contract/stream.ts';
import type { Permission } from '../../contract/permissions.ts';
import type { Clock } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';
import { streamRoute } from '../platform/http.ts';
import type { Caller, Route } from '../platform/http.ts';
import type { News, NewsDesk } from '../platform/news.ts';

/** What one must be allowed to read to be told about it. News of no known kind reach everybody signed in: they hold an id at most. */
const neededFor: Readonly<Record<string, Permission>> = {
  import: 'contacts:read',
  contact: 'contacts:read',
  campaign: 'campaigns:read',
  message: 'messages:read',
  sandbox: 'sandbox:read',
  provider: 'providers:read',
};

const keepAliveMs = 15_000;
const gatherMs = 150;
const mostPerCaller = 20;

/** Live news as server-sent events (HTML Living Standard, 9.2). Bursts are gathered: a screen needs to hear once that it is stale. */
export function streamRoutes({ news, clock, stop }: { news: NewsDesk; clock: Clock; stop: AbortSignal }): Route[] {
  const open = new Map<string, number>();
  return [
    streamRoute(streamNews, async (call) => {
      const count = open.get(call.caller.id) ?? 0;
      if (count >= mostPerCaller)
        throw new AppError('too-many-requests', `More than ${mostPerCaller} open streams.`, {
          headers: { 'retry-after': '30' },
        });
      open.set(call.caller.id, count + 1);
      const { raw } = call.reply;
      call.reply.hijack();
      raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        'x-content-type-options': 'nosniff',
      });
      raw.write('retry: 2000\n\n');
      try {
        await pump(raw, call.caller, news, clock, stop);
      } finally {
        const left = (open.get(call.caller.id) ?? 1) - 1;
        if (left === 0) open.delete(call.caller.id);
        else open.set(call.caller.id, left);
        raw.end();
      }
    }),
  ];
}

async function pump(
  raw: NodeJS.WritableStream & { on(event: 'close', listener: () => void): unknown },
  caller: Caller,
  news: NewsDesk,
  clock: Clock,
  stop: AbortSignal,
): Promise<void> {
  const closed = new AbortController();
  raw.on('close', () => closed.abort());
  const ended = AbortSignal.any([closed.signal, stop]);
  const waiting = new Map<string, News>();
  let stir: () => void = () => undefined;
  const unsubscribe = news.subscribe(caller.workspaceId, (item) => {
    // For the contacts' own pages, one for each message of a campaign; no screen here shows an inbox.
    if (item.kind === 'inapp') return;
    const needed = neededFor[item.kind];
    if (needed !== undefined && !caller.permissions.has(needed)) return;
    waiting.set(`${item.kind} ${item.id}`, item);
    stir();
  });
  try {
    while (!ended.aborted) {
      if (waiting.size === 0) {
        const slept = new AbortController();
        await Promise.race([
          new Promise<void>((resolve) => (stir = resolve)),
          clock.sleep(keepAliveMs, AbortSignal.any([ended, slept.signal])),
        ]);
        slept.abort();
      }
      if (waiting.size > 0) await clock.sleep(gatherMs, ended);
      const lines =
        waiting.size === 0
          ? ': still here\n\n'
          : [...waiting.values()].map((item) => `data: ${JSON.stringify(item)}\n\n`).join('');
      waiting.clear();
      if (!ended.aborted) raw.write(lines);
    }
  } finally {
    unsubscribe();
  }
}
