import type { MessageGiven } from '../../contract/messages.ts';
import type { HashedAddress } from '../audience/index.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, invalidField } from '../platform/errors.ts';
import { decide, needsConsent } from './gate.rules.ts';
import type { Decision } from './gate.rules.ts';
import type { Needs, Reach } from './needs.ts';
import { findSharedPlans } from './plan.ts';
import type { SharedPlan } from './plan.ts';
import type { SendDeps, SendableTemplate } from './ports.ts';
import { readByAddress, readByContact } from './recipients.store.ts';
import type { PersonFacts, Stranger } from './recipients.store.ts';
import { checkTemplate, checkTried, kindOf, timeOf, writtenIn } from './send.rules.ts';

/** One message of a call, and where it stands in the body: empty, or `/messages/3`. */
export interface Asked {
  readonly given: MessageGiven;
  readonly pointer: string;
}

/** What is understood of one, before anybody is looked up. */
interface Wish extends Asked {
  readonly place: number;
  readonly template: SendableTemplate;
  readonly topicId: string | null;
  readonly notBefore: Temporal.Instant | null;
  /** Undefined when a contact is meant. */
  readonly address: HashedAddress | undefined;
}

/** Nothing is wrong with it; nothing is written yet. */
export interface Intent extends Wish {
  readonly person: PersonFacts | Stranger;
  readonly plan: SharedPlan;
  readonly decision: Decision;
}

export interface Intended {
  readonly intents: readonly Intent[];
  /** By place in the list that was asked for. */
  readonly refusals: ReadonlyMap<number, AppError>;
}

/**
 * Everything that can be wrong with each message is found here, before a row is written, and each wrong one is refused
 * alone. Look-ups are for all of them together. Consent comes before content: what is not sent needs no variables.
 */
export async function intend(tx: Tx, deps: SendDeps, asked: readonly Asked[]): Promise<Intended> {
  const refusals = new Map<number, AppError>();
  const wishes = await understand(tx, deps, asked, refusals);
  const [persons, plans, open] = await Promise.all([
    findPersons(tx, wishes),
    plansOf(tx, deps, wishes),
    deps.addressOpener(tx),
  ]);
  const now = deps.clock.now();
  const intents = sift(wishes, refusals, (wish): Intent => {
    const person = persons.get(wish.place);
    if (person === undefined) throw nobody(wish);
    const plan = plans.get(planKey(wish));
    if (plan === undefined) throw new Error('a message has no plan');
    const objection = wish.template.objects?.(reachOf(wish, person), now);
    const decision = decide({ ...factsOf(wish, person, plan), objection }, now);
    if (decision.outcome !== 'suppress') tryContent(wish, person, open);
    return { ...wish, person, plan, decision };
  });
  return { intents, refusals };
}

/** Keeps what `judge` makes of each; what it refuses is noted at its place. */
function sift<One extends { readonly place: number }, Out>(
  list: readonly One[],
  refusals: Map<number, AppError>,
  judge: (one: One) => Out,
): Out[] {
  return list.flatMap((one) => {
    try {
      return [judge(one)];
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      refusals.set(one.place, error);
      return [];
    }
  });
}

async function understand(
  tx: Tx,
  deps: SendDeps,
  asked: readonly Asked[],
  refusals: Map<number, AppError>,
): Promise<Wish[]> {
  const kinds = new Set(asked.flatMap(({ given }) => (kindOf(given.channel) === 'phone' ? (['phone'] as const) : [])));
  const [templateOf, topicOf, readAddress] = await Promise.all([
    deps.templatesOf(
      tx,
      asked.map(({ given }) => given.templateId),
    ),
    deps.topicsOf(
      tx,
      asked.flatMap(({ given }) => given.topic ?? []),
    ),
    deps.addressReader(tx, kinds),
  ]);
  const now = deps.clock.now();
  const placed = asked.map((one, place) => ({ ...one, place }));
  return sift(placed, refusals, ({ given, pointer, place }) => {
    const template = templateOf(given.templateId, `${pointer}/templateId`);
    checkTemplate(template, given, needsConsent(template.category), pointer);
    const topicId = given.topic === undefined ? null : topicOf(given.topic, `${pointer}/topic`);
    const notBefore = timeOf(given.sendAt, now, pointer);
    const written = writtenIn(given, pointer);
    const address = written === undefined ? undefined : readAddress(written, `${pointer}/to/${written.kind}`);
    return { given, pointer, place, template, topicId, notBefore, address };
  });
}

/** By place; a contact that is not there is left out. */
async function findPersons(tx: Tx, wishes: readonly Wish[]): Promise<Map<number, PersonFacts | Stranger>> {
  const needs = allNeeds(wishes);
  const named = wishes.filter((wish) => wish.address === undefined);
  const addressed = wishes.flatMap((wish) => (wish.address === undefined ? [] : [{ ...wish, address: wish.address }]));
  const [byAddress, byContact] = await Promise.all([
    readByAddress(
      tx,
      addressed.map(({ address, given, topicId }) => ({ ...address, channel: given.channel, topicId })),
      needs,
    ),
    readByContact(
      tx,
      named.map(({ given, topicId }) => ({
        contactId: 'contactId' in given.to ? given.to.contactId : null,
        externalId: 'externalId' in given.to ? given.to.externalId : null,
        kind: kindOf(given.channel),
        channel: given.channel,
        topicId,
      })),
      needs,
    ),
  ]);
  const persons = new Map<number, PersonFacts | Stranger>();
  const note = (wish: Wish | undefined, person: PersonFacts | Stranger | undefined) =>
    wish !== undefined && person !== undefined && persons.set(wish.place, person);
  for (const [at, person] of byAddress.entries()) note(addressed[at], person);
  for (const [at, person] of byContact.entries()) note(named[at], person);
  return persons;
}

function allNeeds(wishes: readonly Wish[]): Needs {
  const some = (need: keyof Needs) => wishes.some(({ template }) => template.needs[need] === true);
  return { phone: some('phone'), email: some('email'), lastInbound: some('lastInbound') };
}

function nobody({ given, pointer }: Wish): AppError {
  const field = 'externalId' in given.to ? 'externalId' : 'contactId';
  return invalidField(`${pointer}/to/${field}`, 'is no contact of this workspace');
}

/** Messages of one plan have the same key. */
function planKey({ given, template, topicId }: Wish): string {
  return `${given.channel} ${template.id} ${template.version} ${topicId ?? ''}`;
}

async function plansOf(tx: Tx, deps: SendDeps, wishes: readonly Wish[]): Promise<Map<string, SharedPlan>> {
  const distinct = new Map(wishes.map((wish) => [planKey(wish), wish]));
  if (distinct.size === 0) return new Map();
  const found = await findSharedPlans(
    tx,
    deps,
    [...distinct.values()].map(({ given, template, topicId }) => ({
      source: 'api',
      sourceId: null,
      channel: given.channel,
      category: template.category,
      topicId,
      templateId: template.id,
      templateVersion: template.version,
    })),
  );
  return new Map(
    [...distinct.keys()].flatMap((key, at) => found.slice(at, at + 1).map((plan) => [key, plan] as const)),
  );
}

/** An address that nobody has yet works, as far as anybody knows; nobody has consented with it. */
function factsOf({ notBefore }: Wish, person: PersonFacts | Stranger, { row }: SharedPlan) {
  const { suppression } = person;
  if (person.contactId === null)
    return { plan: row, notBefore, contactErased: false, addressState: 'ok', suppression, consent: null };
  const { addressState, consent, erasedAt } = person;
  return { plan: row, notBefore, contactErased: erasedAt !== null, addressState, suppression, consent };
}

/** Of a stranger, what the address itself tells. */
function reachOf({ address }: Wish, person: PersonFacts | Stranger): Reach {
  if (person.contactId !== null) return person;
  return { lineType: address?.lineType ?? null, addressCountry: address?.country ?? null, lastInboundAt: null };
}

type Open = Awaited<ReturnType<SendDeps['addressOpener']>>;

const unknownPerson = {
  contactId: '',
  externalId: null,
  attributes: {},
  locale: null,
  timeZone: null,
  country: null,
  phone: null,
  email: null,
};

function tryContent({ template, given, pointer, address }: Wish, person: PersonFacts | Stranger, open: Open): void {
  const contact =
    person.contactId === null
      ? { ...unknownPerson, address: address?.value ?? null }
      : {
          ...person,
          address: address?.value ?? inTheClear(open, person.salt, person.sealed),
          phone: inTheClear(open, person.salt, person.phone),
          email: inTheClear(open, person.salt, person.email),
        };
  checkTried(template.tryRender(contact, given.variables ?? {}), pointer);
}

/** One that cannot be opened counts as none here; the hand-over says so. */
function inTheClear(open: Open, salt: Buffer | null, sealed: Buffer | null): string | null {
  if (salt === null || sealed === null) return null;
  try {
    return open({ salt, sealed });
  } catch {
    return null;
  }
}
