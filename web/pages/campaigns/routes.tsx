import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { appRoute } from '../../shell/app-route.tsx';

const list = createRoute({
  getParentRoute: () => appRoute,
  path: '/campaigns',
  component: lazyRouteComponent(() => import('./campaigns-page.tsx'), 'CampaignsPage'),
});

const create = createRoute({
  getParentRoute: () => appRoute,
  path: '/campaigns/new',
  component: lazyRouteComponent(() => import('./campaign-form-page.tsx'), 'NewCampaignPage'),
});

const detail = createRoute({
  getParentRoute: () => appRoute,
  path: '/campaigns/$id',
  component: lazyRouteComponent(() => import('./campaign-page.tsx'), 'CampaignPage'),
});

const edit = createRoute({
  getParentRoute: () => appRoute,
  path: '/campaigns/$id/edit',
  component: lazyRouteComponent(() => import('./campaign-form-page.tsx'), 'EditCampaignPage'),
});

export const campaignRoutes = [list, create, detail, edit];
