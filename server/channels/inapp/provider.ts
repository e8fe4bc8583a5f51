import type { Provider } from '../port.ts';
import { inAppErrors } from './errors.rules.ts';
import { createInAppSender } from './send.ts';
import { inAppSecrets, inAppSettings } from './settings.ts';

/** The inbox inside the customer's own app or site: kept by Parley itself, read through /inapp and <parley-inbox>. */
export const inAppProvider: Provider<typeof inAppSettings, typeof inAppSecrets> = {
  kind: 'inapp',
  channel: 'inapp',
  settings: inAppSettings,
  secrets: inAppSecrets,
  problems: () => [],
  create: createInAppSender,
  test: () =>
    Promise.resolve({
      ok: true,
      steps: [{ name: 'inbox', ok: true, detail: 'Messages are kept here; there is nobody to connect to.' }],
    }),
  errors: inAppErrors,
  lookUp: async (account, { messageId }, { inbox }) => {
    if (inbox === undefined) return { kind: 'unclear', reason: 'there is no inbox' };
    const isThere = await inbox.isThere(account.workspaceId, messageId).catch(() => undefined);
    if (isThere === undefined) return { kind: 'unclear', reason: 'the database did not answer' };
    return isThere ? { kind: 'accepted', ref: messageId } : { kind: 'absent' };
  },
  readiness: ({ settings }) =>
    Promise.resolve([
      (settings.allowedOrigins ?? []).length === 0
        ? {
            key: 'inapp-origins',
            title: 'Sites that show the inbox',
            state: 'warning' as const,
            detail: 'No origin is allowed, so no page can show messages.',
            fix: 'Add the origin of your site, such as https://app.example.com, to the account.',
          }
        : {
            key: 'inapp-origins',
            title: 'Sites that show the inbox',
            state: 'ok' as const,
            detail: (settings.allowedOrigins ?? []).join(', '),
            fix: null,
          },
    ]),
};
