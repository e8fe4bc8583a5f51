import { createRootRouteWithContext, createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import type { QueryClient } from '@tanstack/react-query';
import { ApiProblem } from '../api.ts';
import { ask } from '../query.ts';
import { NotFound, RouteFailure, RouteLoading } from './fallbacks.tsx';
import { askMe } from './me.ts';

export const rootRoute = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  notFoundComponent: NotFound,
  errorComponent: RouteFailure,
});

/** Everything behind the sign-in hangs below this route: `createRoute({ getParentRoute: () => appRoute, path: '/contacts' })`. */
export const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'app',
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(askMe());
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
      const { needed } = await context.queryClient.fetchQuery(ask('GET /auth/setup'));
      if (needed) throw redirect({ to: '/first-run' });
      throw redirect({ to: '/sign-in', search: location.href === '/' ? {} : { next: location.href } });
    }
  },
  component: lazyRouteComponent(() => import('./frame.tsx'), 'Frame'),
  notFoundComponent: NotFound,
  errorComponent: RouteFailure,
  pendingComponent: RouteLoading,
});
