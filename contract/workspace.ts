import { z } from 'zod';
import { endpoint, id, line, revision, time } from './endpoint.ts';

const tag = 'Settings';

/** What happens by itself to a message of which nobody knows whether it was handed over. */
export const unknownPolicy = z.enum(['hold', 'resend', 'give-up']);

export const workspaceSettings = z.strictObject({
  id,
  name: z.string(),
  /** In the foot of every marketing mail (CAN-SPAM asks for it). */
  postalAddress: z.string().nullable(),
  /** For phone numbers without a country code. */
  defaultCountry: z.string().nullable(),
  unknownPolicy,
  /** Its share of the dispatchers against other workspaces, where all have something waiting. */
  sendWeight: z.number().positive(),
  createdAt: time,
  updatedAt: time,
  revision,
});
export type WorkspaceSettings = z.output<typeof workspaceSettings>;

export const getWorkspaceSettings = endpoint({
  method: 'GET',
  path: '/settings/workspace',
  permission: 'settings:read',
  summary: 'The settings of the workspace',
  tag,
  status: 200,
  response: workspaceSettings,
});

export const updateWorkspaceSettings = endpoint({
  method: 'PATCH',
  path: '/settings/workspace',
  permission: 'settings:write',
  summary: 'Change settings of the workspace',
  tag,
  body: z.strictObject({
    name: line(100).optional(),
    /** May have line breaks. */
    postalAddress: z.string().trim().min(1).max(500).nullable().optional(),
    defaultCountry: z
      .string()
      .regex(/^[A-Z]{2}$/, 'must be a two-letter ISO 3166 code')
      .nullable()
      .optional(),
    unknownPolicy: unknownPolicy.optional(),
    sendWeight: z.number().min(0.1).max(100).optional(),
  }),
  status: 200,
  response: workspaceSettings,
});

export const workspaceEndpoints = [getWorkspaceSettings, updateWorkspaceSettings] as const;
