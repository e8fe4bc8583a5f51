import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { appRoute } from '../../shell/app-route.tsx';

const list = createRoute({
  getParentRoute: () => appRoute,
  path: '/contacts',
  component: lazyRouteComponent(() => import('./contacts-page.tsx'), 'ContactsPage'),
});

const create = createRoute({
  getParentRoute: () => appRoute,
  path: '/contacts/new',
  component: lazyRouteComponent(() => import('./new-contact-page.tsx'), 'NewContactPage'),
});

const detail = createRoute({
  getParentRoute: () => appRoute,
  path: '/contacts/$id',
  component: lazyRouteComponent(() => import('./contact-page.tsx'), 'ContactPage'),
});

export const contactRoutes = [list, create, detail];
