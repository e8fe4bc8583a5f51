import type { Activity } from '../activity/index.ts';
import type { Channels } from '../channels/index.ts';
import type { Consent } from '../consent/index.ts';
import type { Delivery } from '../delivery/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Vault } from '../platform/sealing.ts';
import type { Route } from '../platform/http.ts';
import { createAccountNews } from './account-news.ts';
import { callbackKeepingRoutes } from './callback-keeping.ts';
import type { KeepingDeps } from './callback-keeping.ts';
import { createCallbackReader } from './callback-reader.ts';
import type { CallbackReader } from './callback-reader.ts';
import { callbackRoutes } from './callback-routes.ts';
import { createCallbacks } from './callbacks.ts';
import type { Choices } from './choices.ts';
import type { LinkTarget } from '../platform/links.ts';
import { createMailBack } from './mail-back.ts';
import { createReplies } from './replies.ts';

export interface CallbackDeskDeps {
  /** With pinned plans. */
  readonly hot: Db;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly log: Log;
  /** There is something to read: rings for the processes that read. */
  announce?(): void;
  readonly events: Pick<Activity, 'append'>;
  readonly channels: Pick<Channels, 'receiptsFor'>;
  readonly delivery: Pick<Delivery, 'applyReceipts' | 'messageOfRef'>;
  readonly consent: Pick<Consent, 'optOut' | 'consentsOf' | 'record'>;
  readonly choices: Choices;
  /** Throws `invalid-input` for what is no address (a short code, say). */
  findAddress(
    tx: Tx,
    given: { readonly kind: 'email' | 'phone'; readonly value: string },
    pointer: string,
  ): Promise<{ readonly contactId: string; readonly addressId: string } | undefined>;
}

export interface CallbackDesk {
  readonly routes: Route[];
  /** What could not be read, for people to look after. */
  keepingRoutes(deps: Omit<KeepingDeps, 'clock' | 'wake'>): Route[];
  readonly reader: CallbackReader;
  /** Keeps a mail that came back to a message; false when there is no such message. */
  keepMail(target: LinkTarget, raw: Buffer): Promise<boolean>;
}

/** What vendors tell: taken at the door, read by one reader a process. */
export function createCallbackDesk(deps: CallbackDeskDeps): CallbackDesk {
  const { hot: db, clock, vault, log, events, channels, delivery, consent, choices } = deps;
  const receiptsFor = channels.receiptsFor;
  const findSender = async (tx: Tx, kind: 'email' | 'phone', value: string) => {
    try {
      return await deps.findAddress(tx, { kind, value }, '/from');
    } catch (error) {
      if (error instanceof AppError) return undefined;
      throw error;
    }
  };
  const reader = createCallbackReader({
    db,
    ...(deps.announce === undefined ? {} : { announce: deps.announce }),
    clock,
    vault,
    log,
    receiptsFor,
    applyReceipts: delivery.applyReceipts,
    takeNews: createAccountNews({ clock, events, consent, findSender }),
    takeReply: createReplies({
      clock,
      vault,
      events,
      messageOf: delivery.messageOfRef,
      findSender,
      optOut: async (tx, sender, evidence) =>
        void (await consent.optOut(tx, { ...sender, source: evidence.source, actor: 'contact', evidence })),
    }),
    unsubscribe: async (tx, messageIds) => {
      for (const id of new Set(messageIds)) {
        const person = await choices.personOf(tx, id);
        if (person !== undefined) await choices.unsubscribe(tx, person, { ip: '', userAgent: 'provider', locale: '' });
      }
    },
  });
  const callbacks = createCallbacks({ db, clock, vault, log, receiptsFor, wake: reader.wake });
  return {
    routes: callbackRoutes(callbacks, clock),
    keepingRoutes: (given) => callbackKeepingRoutes({ ...given, clock, wake: reader.wake }),
    reader,
    keepMail: createMailBack({ db, clock, vault, wake: reader.wake }),
  };
}
