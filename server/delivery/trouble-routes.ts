import {
  discardDeadLetters,
  listDeadLetters,
  listProviderErrors,
  redriveDeadLetters,
  resolveMessages,
  summariseDeadLetters,
} from '../../contract/dead-letters.ts';
import type { DeadLetterFilter, ErrorCategory } from '../../contract/dead-letters.ts';
import { messageStatus, planStatus } from '../../contract/messages.ts';
import { errorTableOf } from '../channels/index.ts';
import type { Tx } from '../platform/db.ts';
import { notFound } from '../platform/errors.ts';
import { route } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';
import { statusOf, statusOfPlan } from './messages.ts';
import type { LetterWork, MessageDeps } from './ports.ts';
import { retrySchedules } from './retry.rules.ts';
import type { ActedBy } from './route-deps.ts';
import { letterList, letterSummary, workByFilter, workByIds } from './trouble.ts';
import type { Worked } from './trouble.ts';

type Which = { readonly messageIds: readonly string[] } | { readonly filter: DeadLetterFilter };

/** Dead letters, decisions about many messages in doubt, and how the messages of a batch stand. */
export function troubleRoutes(by: (call: ActedBy) => MessageDeps, wake: () => void): Route[] {
  const work = (tx: Tx, call: ActedBy, what: LetterWork['act'], which: Which): Promise<Worked> => {
    tx.afterCommit(wake);
    return 'messageIds' in which
      ? workByIds(tx, by(call), what, which.messageIds)
      : workByFilter(tx, by(call), what, which.filter);
  };
  return [
    route(listDeadLetters, (tx, call) => {
      const { discarded, ...query } = call.query;
      return letterList(tx, by(call), { ...query, discarded: discarded === 'true' });
    }),
    route(summariseDeadLetters, (tx, call) => letterSummary(tx, by(call), call.query)),
    route(redriveDeadLetters, (tx, call) => work(tx, call, 'redrive', call.body)),
    route(discardDeadLetters, (tx, call) => work(tx, call, 'discard', call.body)),
    route(resolveMessages, (tx, call) => work(tx, call, call.body.as, call.body)),
    route(listProviderErrors, (_tx, call) => Promise.resolve(errorsOf(call.params.kind))),
    route(messageStatus, (tx, call) => statusOf(tx, call.body.messageIds)),
    route(planStatus, (tx, call) => statusOfPlan(tx, call.params.planId)),
  ];
}

const categories = Object.keys(retrySchedules) as ErrorCategory[];

function errorsOf(kind: string) {
  const table = errorTableOf(kind);
  if (table === undefined) throw notFound('provider');
  return {
    data: Object.entries(table).map(([code, { category, meaning }]) => ({ code, category, meaning })),
    retries: categories.map((category) => ({ category, ...retrySchedules[category] })),
  };
}
