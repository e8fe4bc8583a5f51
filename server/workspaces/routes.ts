import type { Route } from '../platform/http.ts';
import { auditRoutes, settingsRoutes } from './audit.routes.ts';
import { authRoutes } from './auth.routes.ts';
import type { AuthRouteDeps } from './auth.routes.ts';
import type { Settings } from './settings.ts';
import { teamRoutes } from './team.routes.ts';
import type { TeamRouteDeps } from './team.routes.ts';

export interface RouteDeps extends AuthRouteDeps, TeamRouteDeps {
  readonly settings: Settings;
}

/** Every route of the slice; `deps` are what `createWorkspaces` answers as `routeDeps`. */
export function workspacesRoutes(deps: RouteDeps): Route[] {
  return [...authRoutes(deps), ...teamRoutes(deps), ...auditRoutes(deps), ...settingsRoutes(deps)];
}
