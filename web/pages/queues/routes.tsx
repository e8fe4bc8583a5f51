import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { appRoute } from '../../shell/app-route.tsx';

export const queueRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/queues',
    component: lazyRouteComponent(() => import('./queues-page.tsx'), 'QueuesPage'),
  }),
];
