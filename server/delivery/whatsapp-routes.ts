import type { BodyOf } from '../../contract/endpoint.ts';
import type { MessageGiven } from '../../contract/messages.ts';
import { bulkSendWhatsApp, sendWhatsApp, whatsAppDelivery } from '../../contract/whatsapp.ts';
import { groupRoute, route } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';
import { sendCalls } from './calls.ts';
import { messageList } from './messages.ts';
import type { ActedBy, DeliveryRouteDeps } from './route-deps.ts';
import type { MessageDeps } from './ports.ts';

/** Other names of the way every message goes; nothing is decided here. */
export function whatsAppRoutes(
  { messages, sending, wake, shard }: DeliveryRouteDeps,
  by: (call: ActedBy) => MessageDeps,
): Route[] {
  const deps = { ...messages, ...sending };
  return [
    groupRoute(sendWhatsApp, (tx, calls) => {
      tx.afterCommit(wake);
      const asked = calls.map(({ body, requestId }) => ({ body: onWhatsApp(body), requestId }));
      return sendCalls(tx, deps, asked, shard());
    }),
    groupRoute(
      bulkSendWhatsApp,
      (tx, calls) => {
        tx.afterCommit(wake);
        const asked = calls.map(({ body, requestId }) => ({ body: { messages: eachOf(body) }, requestId }));
        return sendCalls(tx, deps, asked, shard());
      },
      ({ body }) => body.recipients.length,
    ),
    route(whatsAppDelivery, (tx, call) => messageList(tx, by(call), { ...call.query, channel: 'whatsapp' })),
  ];
}

function onWhatsApp(given: Omit<MessageGiven, 'channel'>): MessageGiven {
  return { ...given, channel: 'whatsapp' };
}

function eachOf({ recipients, ...shared }: BodyOf<typeof bulkSendWhatsApp>): MessageGiven[] {
  return recipients.map(({ to, variables }) => {
    const both =
      shared.variables === undefined && variables === undefined
        ? {}
        : { variables: { ...shared.variables, ...variables } };
    return onWhatsApp({ ...shared, ...both, to });
  });
}
