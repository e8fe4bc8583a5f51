import type { ErrorTable } from '../port.ts';

/** The inbox is Parley's own: these are all the ways in which a message cannot be put there. */
export const inAppErrors: ErrorTable = {
  'no-contact': { category: 'address', meaning: 'the contact is not there any more' },
  'unfit-content': { category: 'content', meaning: 'the message cannot be shown in an inbox' },
  'wrong-channel': { category: 'content', meaning: 'an in-app account sends in-app messages only' },
  database: { category: 'provider-down', meaning: 'the database did not answer' },
  aborted: { category: 'transient', meaning: 'given up before it was stored' },
  closed: { category: 'transient', meaning: 'the account was closed before it was stored' },
};
