import {
  cancelMessage,
  getMessage,
  listMessages,
  resolveMessage,
  retryMessage,
  retryMessages,
  sendWithConsent,
} from '../../contract/messages.ts';
import {
  listRateLimits,
  pauseLane,
  pauseWhatsApp,
  resumeLane,
  resumeWhatsApp,
  setLaneLimits,
  whatsAppRateLimit,
} from '../../contract/rate-limits.ts';
import { groupRoute, route } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';
import * as act from './act.ts';
import { sendCalls, weighCall } from './calls.ts';
import * as lanes from './lanes.ts';
import { messageDetail, messageList } from './messages.ts';
import type { MessageDeps } from './ports.ts';
import { troubleRoutes } from './trouble-routes.ts';
import { retryCampaign } from './trouble.ts';
import type { ActedBy, DeliveryRouteDeps } from './route-deps.ts';
import { whatsAppRoutes } from './whatsapp-routes.ts';

export function deliveryRoutes(deps: DeliveryRouteDeps): Route[] {
  const { messages, sending, record, wake, shard } = deps;
  const by = (call: ActedBy): MessageDeps => ({ ...messages, record: (tx, entry) => record(tx, call, entry) });
  return [
    groupRoute(
      sendWithConsent,
      async (tx, calls) => {
        tx.afterCommit(wake);
        return sendCalls(tx, { ...messages, ...sending }, calls, shard());
      },
      weighCall,
    ),
    ...whatsAppRoutes(deps, by),
    route(listMessages, (tx, call) => messageList(tx, by(call), call.query)),
    route(getMessage, (tx, call) => messageDetail(tx, by(call), call.params.id)),
    route(cancelMessage, async (tx, call) => {
      await act.cancelMessage(tx, by(call), call.params.id);
      return messageDetail(tx, by(call), call.params.id);
    }),
    route(retryMessages, async (tx, call) => {
      tx.afterCommit(wake);
      return 'messageIds' in call.body
        ? act.retryNamed(tx, by(call), call.body.messageIds)
        : retryCampaign(tx, by(call), call.body);
    }),
    route(retryMessage, async (tx, call) => {
      await act.retryMessage(tx, by(call), call.params.messageId);
      tx.afterCommit(wake);
      return messageDetail(tx, by(call), call.params.messageId);
    }),
    route(resolveMessage, async (tx, call) => {
      await act.resolveMessage(tx, by(call), call.params.id, call.body.as);
      tx.afterCommit(wake);
      return messageDetail(tx, by(call), call.params.id);
    }),
    ...troubleRoutes(by, wake),
    ...laneRoutes(by, wake),
  ];
}

function laneRoutes(by: (call: ActedBy) => MessageDeps, wake: () => void): Route[] {
  return [
    route(listRateLimits, async (tx, call) => ({ data: await lanes.laneList(tx, by(call)) })),
    route(pauseLane, (tx, call) => lanes.turnLane(tx, by(call), call.params.lane, 'pause')),
    route(resumeLane, async (tx, call) => {
      tx.afterCommit(wake);
      return lanes.turnLane(tx, by(call), call.params.lane, 'resume');
    }),
    route(setLaneLimits, async (tx, call) => {
      tx.afterCommit(wake);
      return lanes.setLimits(tx, by(call), call.params.lane, call.body);
    }),
    route(whatsAppRateLimit, async (tx, call) => ({ data: await lanes.laneList(tx, by(call), 'whatsapp') })),
    route(pauseWhatsApp, async (tx, call) => ({ data: await lanes.turnChannel(tx, by(call), 'whatsapp', 'pause') })),
    route(resumeWhatsApp, async (tx, call) => {
      tx.afterCommit(wake);
      return { data: await lanes.turnChannel(tx, by(call), 'whatsapp', 'resume') };
    }),
  ];
}
