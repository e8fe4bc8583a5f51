/** Something changed that a screen may show: never the data itself, only what to ask for again, and small counters. */
export interface News {
  readonly kind: string;
  readonly id: string;
  readonly [key: string]: string | number | boolean | null;
}

/** Live news for open screens. Lossy by design: a screen that missed one asks again. */
export interface NewsDesk {
  publish(workspaceId: string, news: News): void;
  subscribe(workspaceId: string, listener: (news: News) => void): () => void;
}

export function createNewsDesk(): NewsDesk {
  const listeners = new Map<string, Set<(news: News) => void>>();
  return {
    publish: (workspaceId, news) => {
      for (const listener of listeners.get(workspaceId) ?? []) listener(news);
    },
    subscribe: (workspaceId, listener) => {
      const set = listeners.get(workspaceId) ?? new Set();
      set.add(listener);
      listeners.set(workspaceId, set);
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(workspaceId);
      };
    },
  };
}
