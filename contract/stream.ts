import { z } from 'zod';
import { endpoint } from './endpoint.ts';

/** What one server-sent event carries (`data:`): that something changed, not what; the reader fetches it again. */
export const newsItem = z.object({
  /** `import`, `campaign`, `message`, `sandbox`, ... */
  kind: z.string(),
  id: z.string().optional(),
});
export type NewsItem = z.output<typeof newsItem>;

export const streamNews = endpoint({
  method: 'GET',
  path: '/events/stream',
  permission: 'signed-in',
  summary:
    'Live news of the workspace (server-sent events), as far as the caller may read it; a comment every 15 s keeps it open',
  tag: 'Overview',
  status: 200,
  produces: 'text/event-stream',
});

export const streamEndpoints = [streamNews] as const;
