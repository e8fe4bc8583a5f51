import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { appRoute } from '../../shell/app-route.tsx';

export const deadLetterRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/dead-letters',
    component: lazyRouteComponent(() => import('./dead-letters-page.tsx'), 'DeadLettersPage'),
  }),
];
