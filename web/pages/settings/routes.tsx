import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { appRoute } from '../../shell/appRoute.tsx';

export const settingsRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/settings/profile',
    component: lazyRouteComponent(() => import('./profile/Profile.tsx'), 'Profile'),
  }),
] as const;
