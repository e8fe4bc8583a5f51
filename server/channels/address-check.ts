import { checkEmail } from '../../contract/address-check.ts';
import { streamRoute } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';
import { UnfitMessage, wireAddress } from './email/header.rules.ts';
import type { MailRoute } from './email/mx.ts';

/** No transaction is held while the DNS is asked. */
export function addressCheckRoutes(mailRoute: (domain: string) => Promise<MailRoute>): Route[] {
  return [
    streamRoute(checkEmail, async ({ body }) => {
      const domain = domainOf(body.email);
      if (domain === undefined)
        return { isValid: false, takesMail: null, detail: 'This is not written as an e-mail address.' };
      return { isValid: true, ...(await mailRoute(domain)) };
    }),
  ];
}

function domainOf(email: string): string | undefined {
  try {
    return wireAddress(email).domain;
  } catch (error) {
    if (error instanceof UnfitMessage) return undefined;
    throw error;
  }
}
