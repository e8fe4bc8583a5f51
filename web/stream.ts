import { useEffect, useRef } from 'react';
import type { NewsItem } from '../contract/stream.ts';
import { urlOf } from './api.ts';

type Listener = (news: NewsItem) => void;

/** One connection for the whole dashboard, open while anybody listens; the browser reconnects by itself. */
const listeners = new Set<Listener>();
let source: EventSource | undefined;

function tell(event: MessageEvent<string>): void {
  let news: NewsItem;
  try {
    news = JSON.parse(event.data) as NewsItem;
  } catch {
    return; // Not ours (a proxy's keep-alive): nothing to tell.
  }
  for (const listener of listeners) listener(news);
}

function listen(listener: Listener): () => void {
  listeners.add(listener);
  if (!source) {
    source = new EventSource(urlOf('GET /events/stream'));
    source.addEventListener('message', tell);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    source?.close();
    source = undefined;
  };
}

/** Calls `onNews` for each live news of these kinds (see `contract/stream.ts`) while the component is shown. */
export function useStream(kinds: readonly string[], onNews: Listener): void {
  const latest = useRef(onNews);
  useEffect(() => {
    latest.current = onNews;
  });
  const wanted = kinds.join(' ');
  useEffect(() => {
    const set = new Set(wanted.split(' '));
    return listen((news) => {
      if (set.has(news.kind)) latest.current(news);
    });
  }, [wanted]);
}
