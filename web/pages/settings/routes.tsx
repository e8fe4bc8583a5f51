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
  createRoute({
    getParentRoute: () => appRoute,
    path: '/settings/team',
    component: lazyRouteComponent(() => import('./team/team-page.tsx'), 'Team'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/settings/api-keys',
    component: lazyRouteComponent(() => import('./api-keys/api-keys-page.tsx'), 'ApiKeys'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/settings/topics',
    component: lazyRouteComponent(() => import('./topics/topics-page.tsx'), 'Topics'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/settings/accounts',
    component: lazyRouteComponent(() => import('./accounts/accounts-page.tsx'), 'Accounts'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/settings/accounts/new',
    component: lazyRouteComponent(() => import('./accounts/new-account-page.tsx'), 'NewAccount'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/settings/accounts/$id',
    component: lazyRouteComponent(() => import('./accounts/account-page.tsx'), 'AccountPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/settings/audit',
    component: lazyRouteComponent(() => import('./audit/audit-page.tsx'), 'AuditLog'),
  }),
] as const;
