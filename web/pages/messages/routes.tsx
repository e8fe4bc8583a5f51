import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { appRoute } from '../../shell/app-route.tsx';

const list = createRoute({
  getParentRoute: () => appRoute,
  path: '/messages',
  component: lazyRouteComponent(() => import('./messages-page.tsx'), 'MessagesPage'),
});

const detail = createRoute({
  getParentRoute: () => appRoute,
  path: '/messages/$id',
  component: lazyRouteComponent(() => import('./message-page.tsx'), 'MessagePage'),
});

export const messageRoutes = [list, detail];
