import { consentRoutes } from './pages/consent/routes.tsx';
import { overviewRoutes } from './pages/overview/routes.tsx';
import { settingsRoutes } from './pages/settings/routes.tsx';
import { signInRoutes } from './pages/sign-in/routes.tsx';
import { appRoute, rootRoute } from './shell/app-route.tsx';

/** Every page of the dashboard: one line for each noun below `pages/`. */
export const routeTree = rootRoute.addChildren([
  ...signInRoutes,
  appRoute.addChildren([...overviewRoutes, ...consentRoutes, ...settingsRoutes]),
]);
