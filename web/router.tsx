import { createRouter } from '@tanstack/react-router';
import { queryClient } from './query.ts';
import { routeTree } from './routes.ts';
import { NotFound, RouteFailure, RouteLoading } from './shell/fallbacks.tsx';

/** Search parameters are plain strings, one each: `?state=failed&q=ada`. */
const parseSearch = (search: string): Record<string, string> => Object.fromEntries(new URLSearchParams(search));

function stringifySearch(search: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (typeof value === 'string' && value !== '') query.set(key, value);
  }
  return query.size > 0 ? `?${query}` : '';
}

export const router = createRouter({
  routeTree,
  context: { queryClient },
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  defaultPendingMs: 100,
  defaultPendingMinMs: 200,
  defaultPendingComponent: RouteLoading,
  defaultErrorComponent: RouteFailure,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
