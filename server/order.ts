/**
 * The slices, highest first. A slice imports its own files and slices below it, those only through their `index.ts`
 * (files of `platform` directly); news goes up as events. `npm run check` reads this list.
 */
export const slices = [
  'operations',
  'agents',
  'reports',
  'crm',
  'webhooks',
  'sales',
  'journeys',
  'campaigns',
  'experiments',
  'inbound',
  'delivery',
  'channels',
  'templates',
  'predictions',
  'segments',
  'consent',
  'audience',
  'activity',
  'workspaces',
  'platform',
] as const;
