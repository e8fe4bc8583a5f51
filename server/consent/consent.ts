import type { Activity } from '../activity/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import type { Vault } from '../platform/sealing.ts';
import type { ChainReport } from '../../contract/actor.ts';
import { createAudiencePorts } from './audience-ports.ts';
import type { AudienceConsentPorts } from './audience-ports.ts';
import type { ConsentState } from './consent.rules.ts';
import type { Evidence, Head } from './entry.rules.ts';
import { createLedger } from './ledger.ts';
import type { ConsentDraft, Ledger } from './ledger.ts';
import { readConsentsOf, readHead } from './ledger.store.ts';
import type { StandingConsent } from './ledger.store.ts';
import * as store from './store.ts';
import type { Topic } from './store.ts';
import { createTopics } from './topics.ts';
import type { Topics } from './topics.ts';
import { verifyLedger } from './verify.ts';

/** What the person at the other end did with a link of ours. */
export interface PersonalAct {
  readonly contactId: string;
  readonly addressId: string;
  readonly channel: string;
  readonly source: 'unsubscribe' | 'preference-page';
  readonly evidence: Evidence;
}

export interface Preference {
  readonly topic: Topic;
  readonly state: ConsentState | undefined;
}

export interface Consent {
  readonly record: Ledger['record'];
  readonly topics: Topics;
  /** What the audience asks of the slices above it, for as far as it is about consent. */
  readonly audiencePorts: AudienceConsentPorts;
  /** One topic; without one, everything: all topics and every future message. Answers whether that is new. */
  withdraw(tx: Tx, act: PersonalAct, topicId: string | undefined): Promise<boolean>;
  /** Every topic of the address on every channel, and the suppression list. */
  optOut(tx: Tx, who: OptOut): Promise<OptedOut>;
  preferences(tx: Tx, addressId: string, channel: string): Promise<Preference[]>;
  /** Records what differs from what counts; granting anything takes an opt-out back. Answers the topics withdrawn. */
  savePreferences(tx: Tx, act: PersonalAct, wanted: ReadonlySet<string>): Promise<ReadonlySet<string>>;
  consentsOf(tx: Tx, addressIds: readonly string[]): Promise<StandingConsent[]>;
  /** Known addresses that must not be written to any more: bounces, complaints. */
  suppress(tx: Tx, addresses: readonly store.KnownSuppression[]): Promise<void>;
  head(tx: Tx): Promise<Head | undefined>;
  verify(db: Db, workspaceId: string): Promise<ChainReport>;
}

export interface OptOut {
  readonly contactId: string;
  readonly addressId: string;
  readonly source: string;
  readonly actor: string;
  readonly evidence: Evidence;
}

export interface OptedOut {
  /** How many consents were withdrawn. */
  readonly withdrawn: number;
  /** It was not on the list before. */
  readonly newlySuppressed: boolean;
}

export interface ConsentDeps {
  readonly clock: Clock;
  readonly vault: Pick<Vault, 'keys'>;
  readonly events: Pick<Activity, 'append'>;
}

/** What the person did, as an entry of the ledger. */
function personalDraft(
  act: PersonalAct,
  topicId: string,
  action: 'grant' | 'withdraw',
  at: Temporal.Instant,
): ConsentDraft {
  const { contactId, addressId, channel, source, evidence } = act;
  return { contactId, addressId, channel, topicId, action, basis: 'consent', source, evidence, actor: 'contact', at };
}

export function createConsent(deps: ConsentDeps): Consent {
  const { clock, vault } = deps;
  const { record } = createLedger(deps);
  const topics = createTopics(clock);

  const optOut = async (tx: Tx, { contactId, addressId, source, actor, evidence }: OptOut): Promise<OptedOut> => {
    const standing = await readConsentsOf(tx, [addressId]);
    const drafts = standing
      .filter((one) => one.state !== 'withdrawn')
      .map(({ channel, topicId }): ConsentDraft => {
        return {
          contactId,
          addressId,
          channel,
          topicId,
          action: 'withdraw',
          basis: 'consent',
          source,
          actor,
          evidence,
          at: clock.now(),
        };
      });
    const recorded = await record(tx, drafts);
    const added = await store.suppressKnown(tx, [{ addressId, reason: 'opt-out' }], clock.now());
    return { withdrawn: recorded.filter((one) => one.effect === 'change').length, newlySuppressed: added > 0 };
  };

  return {
    record,
    topics,
    audiencePorts: createAudiencePorts({ clock, topics, record }),
    withdraw: async (tx, act, topicId) => {
      if (topicId === undefined) {
        const { withdrawn, newlySuppressed } = await optOut(tx, { ...act, actor: 'contact' });
        return withdrawn > 0 || newlySuppressed;
      }
      const [recorded] = await record(tx, [personalDraft(act, topicId, 'withdraw', clock.now())]);
      return recorded?.effect === 'change';
    },
    optOut,
    preferences: (tx, addressId, channel) => readPreferences(tx, addressId, channel),
    savePreferences: async (tx, act, wanted) => {
      const now = clock.now();
      const drafts = (await readPreferences(tx, act.addressId, act.channel)).flatMap(({ topic, state }) => {
        const granted = state === 'granted';
        if (wanted.has(topic.id) === granted) return [];
        return [personalDraft(act, topic.id, granted ? 'withdraw' : 'grant', now)];
      });
      await record(tx, drafts);
      if (drafts.some((draft) => draft.action === 'grant')) await store.liftOptOut(tx, act.addressId);
      return new Set(drafts.filter((draft) => draft.action === 'withdraw').map((draft) => draft.topicId));
    },
    consentsOf: readConsentsOf,
    suppress: async (tx, addresses) => {
      if (addresses.length > 0) await store.suppressKnown(tx, addresses, clock.now());
    },
    head: readHead,
    verify: (db, workspaceId) => verifyLedger(db, vault, workspaceId),
  };
}

const mostTopics = 200;

/** The topics that are on offer, with what the person said to each. */
async function readPreferences(tx: Tx, addressId: string, channel: string): Promise<Preference[]> {
  const offered = await store.listTopics(tx, false, '', mostTopics);
  const standing = await readConsentsOf(tx, [addressId]);
  const states = new Map(standing.filter((one) => one.channel === channel).map((one) => [one.topicId, one.state]));
  return offered.map((topic) => ({ topic, state: states.get(topic.id) }));
}
