import { z } from 'zod';
import { endpoint } from './endpoint.ts';

/** Asks the DNS, not the mailbox: nothing is sent, nothing is kept. */
export const checkEmail = endpoint({
  method: 'POST',
  path: '/contacts/check',
  permission: 'contacts:read',
  summary: 'Check an e-mail address: its form, and whether its domain takes mail',
  tag: 'Contacts',
  body: z.strictObject({ email: z.string().trim().min(1).max(320) }),
  status: 200,
  response: z.strictObject({
    /** It is written as an address. */
    isValid: z.boolean(),
    /** `unknown`: the DNS did not answer. Null where the form is wrong already. */
    takesMail: z.enum(['yes', 'no', 'unknown']).nullable(),
    detail: z.string(),
  }),
});

export const addressCheckEndpoints = [checkEmail];
