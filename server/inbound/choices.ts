import type { Activity } from '../activity/index.ts';
import type { Consent, PersonalAct } from '../consent/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { readMessages, readWorkspaceName } from './store.ts';
import type { MessageFacts } from './store.ts';

/** Whoever holds a link of a message: the person it was sent to, or somebody they gave it to. */
export interface Person {
  readonly message: MessageFacts;
  /** Name of the workspace. */
  readonly sender: string;
  /** Of the message; undefined when it was about none. */
  readonly topicName: string | undefined;
}

/** From where, for the evidence. */
export interface Choosing {
  readonly ip: string;
  readonly userAgent: string;
  readonly locale: string;
}

export interface ChoicesDeps {
  readonly consent: Pick<Consent, 'withdraw' | 'preferences' | 'savePreferences' | 'topics'>;
  readonly events: Pick<Activity, 'append'>;
  readonly clock: Clock;
}

export interface OfferedTopic {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly on: boolean;
}

export interface Choices {
  personOf(tx: Tx, messageId: string): Promise<Person | undefined>;
  topicsOf(tx: Tx, person: Person): Promise<OfferedTopic[]>;
  /** What the message was about; everything when it was about nothing in particular. Twice is once. */
  unsubscribe(tx: Tx, person: Person, how: Choosing): Promise<void>;
  leaveAll(tx: Tx, person: Person, how: Choosing): Promise<void>;
  choose(tx: Tx, person: Person, how: Choosing, topicIds: ReadonlySet<string>): Promise<void>;
}

/** Which wording the person saw; changes when the words of the page do. */
const textVersions = { unsubscribe: 'unsubscribe-page-1', 'preference-page': 'preference-page-1' } as const;

/** Undefined when there is nobody left to speak for: the address is gone, so nothing will be sent there. */
function actOf({ message }: Person, how: Choosing, source: PersonalAct['source']): PersonalAct | undefined {
  if (message.addressId === null || message.erased) return undefined;
  const { ip, userAgent, locale } = how;
  const evidence = { source, textVersion: textVersions[source], ip, userAgent, locale, messageId: message.id };
  return { contactId: message.contactId, addressId: message.addressId, channel: message.channel, source, evidence };
}

export function createChoices({ consent, events, clock }: ChoicesDeps): Choices {
  const announce = (tx: Tx, { message }: Person, scope: 'topic' | 'all') =>
    events.append(tx, [
      {
        kind: 'message.unsubscribed',
        occurredAt: clock.now(),
        contactId: message.contactId,
        messageId: message.id,
        campaignId: message.campaignId ?? undefined,
        data: { scope },
      },
    ]);

  const leave = async (tx: Tx, person: Person, act: PersonalAct | undefined, topicId: string | undefined) => {
    if (act === undefined) return;
    const changed = await consent.withdraw(tx, act, topicId);
    if (changed) await announce(tx, person, topicId === undefined ? 'all' : 'topic');
  };

  return {
    personOf: async (tx, messageId) => {
      const message = (await readMessages(tx, [messageId])).get(messageId);
      if (message === undefined) return undefined;
      const topic = message.topicId === null ? undefined : await consent.topics.find(tx, message.topicId);
      return { message, sender: await readWorkspaceName(tx), topicName: topic?.name };
    },
    topicsOf: async (tx, { message }) => {
      if (message.addressId === null || message.erased) return [];
      const preferences = await consent.preferences(tx, message.addressId, message.channel);
      return preferences.map(({ topic: { id, name, description }, state }) => ({
        id,
        name,
        description,
        on: state === 'granted',
      }));
    },
    unsubscribe: (tx, person, how) =>
      leave(tx, person, actOf(person, how, 'unsubscribe'), person.message.topicId ?? undefined),
    leaveAll: (tx, person, how) => leave(tx, person, actOf(person, how, 'preference-page'), undefined),
    choose: async (tx, person, how, topicIds) => {
      const act = actOf(person, how, 'preference-page');
      if (act === undefined) return;
      const withdrawn = await consent.savePreferences(tx, act, topicIds);
      const { topicId } = person.message;
      if (topicId !== null && withdrawn.has(topicId)) await announce(tx, person, 'topic');
    },
  };
}
