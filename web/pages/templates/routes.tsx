import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { appRoute } from '../../shell/app-route.tsx';

const list = createRoute({
  getParentRoute: () => appRoute,
  path: '/templates',
  component: lazyRouteComponent(() => import('./templates-page.tsx'), 'TemplatesPage'),
});

/** The gallery; with `?starter=` the editor on that design. */
const create = createRoute({
  getParentRoute: () => appRoute,
  path: '/templates/new',
  component: lazyRouteComponent(() => import('./new-template-page.tsx'), 'NewTemplatePage'),
});

const detail = createRoute({
  getParentRoute: () => appRoute,
  path: '/templates/$id',
  component: lazyRouteComponent(() => import('./template-page.tsx'), 'TemplatePage'),
});

export const templateRoutes = [list, create, detail];
