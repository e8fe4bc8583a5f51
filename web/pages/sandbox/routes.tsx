import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { appRoute } from '../../shell/app-route.tsx';

/** `?message=` is the one that is read, `?to=` the recipient that is looked for. */
const inbox = createRoute({
  getParentRoute: () => appRoute,
  path: '/sandbox',
  component: lazyRouteComponent(() => import('./sandbox-page.tsx'), 'SandboxPage'),
});

export const sandboxRoutes = [inbox];
