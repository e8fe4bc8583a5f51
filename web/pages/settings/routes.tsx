import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { appRoute } from '../../shell/app-route.tsx';

export const settingsRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/settings/profile',
    component: lazyRouteComponent(() => import('./profile/profile-page.tsx'), 'Profile'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/settings/workspace',
    component: lazyRouteComponent(() => import('./workspace/workspace-page.tsx'), 'Workspace'),
  }),
] as const;
