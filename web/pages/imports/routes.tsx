import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { appRoute } from '../../shell/app-route.tsx';

const list = createRoute({
  getParentRoute: () => appRoute,
  path: '/imports',
  component: lazyRouteComponent(() => import('./imports-page.tsx'), 'ImportsPage'),
});

const wizard = createRoute({
  getParentRoute: () => appRoute,
  path: '/imports/new',
  component: lazyRouteComponent(() => import('./new-import-page.tsx'), 'NewImportPage'),
});

const detail = createRoute({
  getParentRoute: () => appRoute,
  path: '/imports/$id',
  component: lazyRouteComponent(() => import('./import-page.tsx'), 'ImportPage'),
});

export const importRoutes = [list, wizard, detail];
