import { z } from 'zod';
import { campaign } from './campaigns.ts';
import { endpoint } from './endpoint.ts';

const count = z.int().nonnegative();

/** In the order a newcomer takes them. */
export const nextStepKey = z.enum([
  'import-contacts',
  'create-topic',
  'write-template',
  'send-campaign',
  'see-it-arrive',
  'postal-address',
  'connect-account',
  /** Only while a limit of an account is near or reached. */
  'watch-limits',
]);

export const getOverview = endpoint({
  method: 'GET',
  path: '/dashboard/overview',
  permission: 'signed-in',
  summary: 'How things stand, and what to do next; numbers the caller may not read are null',
  tag: 'Overview',
  status: 200,
  response: z.strictObject({
    counts: z.strictObject({
      contacts: count.nullable(),
      /** Addresses with consent to at least one topic. */
      consented: count.nullable(),
      templates: count.nullable(),
      campaigns: count.nullable(),
    }),
    /** Of the last 30 days. */
    messages: z
      .strictObject({
        planned: count,
        accepted: count,
        opened: count,
        clicked: count,
        suppressed: count,
        failed: count,
        unknown: count,
      })
      .nullable(),
    nextSteps: z.array(z.strictObject({ key: nextStepKey, done: z.boolean() })),
    recentCampaigns: z.array(campaign),
  }),
});
export type Overview = z.output<typeof getOverview.response>;

export const overviewEndpoints = [getOverview] as const;
