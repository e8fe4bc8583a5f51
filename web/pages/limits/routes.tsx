import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { appRoute } from '../../shell/app-route.tsx';

export const limitRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/limits',
    component: lazyRouteComponent(() => import('./limits-page.tsx'), 'LimitsPage'),
  }),
] as const;
