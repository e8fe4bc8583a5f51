import { campaignRoutes } from './pages/campaigns/routes.tsx';
import { consentRoutes } from './pages/consent/routes.tsx';
import { contactRoutes } from './pages/contacts/routes.tsx';
import { deadLetterRoutes } from './pages/dead-letters/routes.tsx';
import { importRoutes } from './pages/imports/routes.tsx';
import { limitRoutes } from './pages/limits/routes.tsx';
import { messageRoutes } from './pages/messages/routes.tsx';
import { overviewRoutes } from './pages/overview/routes.tsx';
import { queueRoutes } from './pages/queues/routes.tsx';
import { sandboxRoutes } from './pages/sandbox/routes.tsx';
import { settingsRoutes } from './pages/settings/routes.tsx';
import { signInRoutes } from './pages/sign-in/routes.tsx';
import { templateRoutes } from './pages/templates/routes.tsx';
import { appRoute, rootRoute } from './shell/app-route.tsx';

/** Every page of the dashboard: one line for each noun below `pages/`. */
export const routeTree = rootRoute.addChildren([
  ...signInRoutes,
  appRoute.addChildren([
    ...overviewRoutes,
    ...contactRoutes,
    ...importRoutes,
    ...templateRoutes,
    ...campaignRoutes,
    ...messageRoutes,
    ...deadLetterRoutes,
    ...queueRoutes,
    ...limitRoutes,
    ...sandboxRoutes,
    ...consentRoutes,
    ...settingsRoutes,
  ]),
]);
