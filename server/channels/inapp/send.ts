import type {
  BeginSignal,
  Outgoing,
  OutgoingInApp,
  ProviderAccount,
  ProviderDeps,
  Sender,
  SendResult,
} from '../port.ts';
import { refusalResult } from '../outcome.rules.ts';
import { contentProblem } from './content.rules.ts';
import { inAppErrors } from './errors.rules.ts';
import type { Kept } from './inbox.ts';
import type { InAppSecrets, InAppSettings } from './settings.ts';

export type InAppAccount = ProviderAccount<InAppSettings, InAppSecrets>;

const most = 500;

const refused = (code: string, reason = ''): SendResult => refusalResult(inAppErrors, { code, reason });

/**
 * Puts messages into the inbox, under their id in the ledger. So nothing is ever in doubt: what may have been stored when the
 * connection to the database broke is simply stored again, and is there once.
 */
export function createInAppSender(account: InAppAccount, { inbox, log }: ProviderDeps): Sender {
  let isClosed = false;
  const underWay = new Set<Promise<unknown>>();

  const store = async (messages: readonly OutgoingInApp[]): Promise<readonly SendResult[]> => {
    if (messages.length === 0 || inbox === undefined)
      return messages.map(() => refused('database', 'there is no inbox'));
    try {
      const kept = await inbox.keep(account.workspaceId, account.id, messages);
      return messages.map((message, at) => resultOf(message, kept[at]));
    } catch (error) {
      log.warn({ err: error }, 'in-app messages could not be stored');
      return messages.map(() => refused('database', 'the database did not take it'));
    }
  };

  const send = async (messages: readonly Outgoing[], signal?: BeginSignal): Promise<readonly SendResult[]> => {
    if (isClosed) return messages.map(() => refused('closed'));
    if (signal?.aborted === true) return messages.map(() => refused('aborted'));
    const judged = messages.map(judge);
    const fit = judged.flatMap((one) => ('messageId' in one ? [one] : []));
    const stored = store(fit);
    underWay.add(stored);
    const results = await stored.finally(() => underWay.delete(stored));
    let at = 0;
    return judged.map((one) => ('messageId' in one ? (results[at++] ?? refused('database')) : one));
  };

  return {
    capacity: 16,
    send: async (message, signal) => (await send([message], signal))[0] ?? refused('database'),
    many: { most, send },
    close: async () => {
      isClosed = true;
      await Promise.all(underWay);
    },
  };
}

function judge(message: Outgoing): OutgoingInApp | SendResult {
  if (message.channel !== 'inapp') return refused('wrong-channel', `it does not send ${message.channel}`);
  const problem = contentProblem(message);
  return problem === undefined ? message : refused('unfit-content', problem);
}

function resultOf(message: OutgoingInApp, kept: Kept | undefined): SendResult {
  return kept === 'kept' ? { kind: 'accepted', ref: message.messageId } : refused('no-contact');
}
