import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { appRoute } from '../../shell/app-route.tsx';

export const consentRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/consent',
    component: lazyRouteComponent(() => import('./consent-page.tsx'), 'Consent'),
  }),
] as const;
