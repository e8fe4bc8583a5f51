import { channel as channels } from '../../contract/endpoint.ts';
import * as contract from '../../contract/consent.ts';
import { contactConsents } from '../../contract/contacts.ts';
import * as topicContract from '../../contract/topics.ts';
import type { Audit, AuditDraft } from '../workspaces/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, invalidField, notFound } from '../platform/errors.ts';
import { decodeCursor, encodeCursor, requireMatch, route, streamRoute } from '../platform/http.ts';
import type { Caller, Route } from '../platform/http.ts';
import type { Vault } from '../platform/sealing.ts';
import type { Consent } from './consent.ts';
import { reaches, timeOfAct } from './consent.rules.ts';
import type { AddressKind } from './consent.rules.ts';
import type { Evidence } from './entry.rules.ts';
import type { ConsentDraft } from './ledger.ts';
import type { AddressRef, People, Person } from './people.ts';
import { readProvenHistory, signDocument } from './proof.ts';
import * as store from './store.ts';
import type { Suppression, Topic } from './store.ts';
import { parseSuppressionId, suppressionId } from './suppression.rules.ts';

export interface ConsentRoutesDeps {
  readonly consent: Consent;
  readonly people: People;
  readonly audit: Pick<Audit, 'record'>;
  readonly vault: Pick<Vault, 'keys' | 'derive'>;
  readonly clock: Clock;
}

interface Asked {
  readonly caller: Caller;
  readonly ip: string;
  readonly userAgent: string;
  readonly requestId: string;
  readonly mintedId: string;
}

type Change = Pick<AuditDraft, 'action' | 'target' | 'before' | 'after'>;

export function consentRoutes(deps: ConsentRoutesDeps): Route[] {
  return [...topicRoutes(deps), ...recordRoutes(deps), ...proofRoutes(deps), ...suppressionRoutes(deps)];
}

function note(deps: ConsentRoutesDeps, tx: Tx, call: Asked, change: Change): Promise<unknown> {
  const { caller, ip, userAgent, requestId } = call;
  return deps.audit.record(tx, { actor: caller, ip, userAgent, requestId, ...change });
}

function presentTopic(topic: Topic) {
  const { id, key, name, description, createdAt, updatedAt, archivedAt, revision } = topic;
  const times = {
    createdAt: createdAt.toString(),
    updatedAt: updatedAt.toString(),
    archivedAt: archivedAt?.toString() ?? null,
  };
  return { id, key, name, description, ...times, revision };
}

function topicRoutes(deps: ConsentRoutesDeps): Route[] {
  const { topics } = deps.consent;
  return [
    route(topicContract.listTopics, async (tx, { query: { limit, cursor, archived } }) => {
      const [afterKey = ''] = decodeCursor(cursor, 'text') ?? [];
      const found = await topics.list(tx, { archived: archived === 'true', afterKey, limit: limit + 1 });
      const data = found.slice(0, limit);
      return {
        data: data.map(presentTopic),
        nextCursor: found.length > limit ? encodeCursor(data.at(-1)?.key ?? '') : null,
      };
    }),
    route(topicContract.createTopic, async (tx, call) => {
      const topic = await topics.create(tx, { id: call.mintedId, ...call.body });
      await note(deps, tx, call, {
        action: 'topic.created',
        target: { kind: 'topic', id: topic.id },
        after: { key: topic.key, name: topic.name },
      });
      return presentTopic(topic);
    }),
    route(topicContract.getTopic, async (tx, { params: { id } }) => {
      const topic = await topics.get(tx, id);
      return { ...presentTopic(topic), ...(await store.countConsents(tx, id)) };
    }),
    route(topicContract.updateTopic, async (tx, call) => {
      const { before, after } = await topics.update(tx, call.params.id, call.body, (found) =>
        requireMatch(call, found.revision),
      );
      await note(deps, tx, call, {
        action: 'topic.updated',
        target: { kind: 'topic', id: after.id },
        before: presentTopic(before),
        after: presentTopic(after),
      });
      return presentTopic(after);
    }),
  ];
}

function sourceOf(caller: Caller): string {
  return caller.kind === 'user' ? 'dashboard' : 'api';
}

/** The person behind an address of a request; a value that nobody has becomes a contact. */
async function personOf(deps: ConsentRoutesDeps, tx: Tx, ref: AddressRef): Promise<Person> {
  if ('value' in ref) return deps.people.obtainAddress(tx, ref, '/address/value');
  const known = await deps.people.findAddress(tx, ref, '/address/id');
  if (known === undefined) throw notFound('address');
  return known;
}

function assertReaches(channel: string, kind: AddressKind): void {
  if (!reaches(channel, kind)) throw invalidField('/channel', `does not fit an address of the kind ${kind}`);
}

interface Said {
  readonly person: Person;
  readonly topic: Topic;
  readonly channel: string;
  readonly action: 'grant' | 'withdraw';
  readonly basis: 'consent' | 'contract' | 'legitimate-interest';
  readonly evidence: Evidence;
  readonly at: Temporal.Instant;
}

async function recordOne(deps: ConsentRoutesDeps, tx: Tx, call: Asked, said: Said) {
  const { person, topic, channel, action, basis, evidence, at } = said;
  assertReaches(channel, person.kind);
  const draft: ConsentDraft = {
    id: call.mintedId,
    contactId: person.contactId,
    addressId: person.addressId,
    topicId: topic.id,
    source: sourceOf(call.caller),
    actor: `${call.caller.kind}:${call.caller.id}`,
    channel,
    action,
    basis,
    evidence,
    at,
  };
  const [recorded] = await deps.consent.record(tx, [draft]);
  if (recorded === undefined) throw new Error('a draft was not answered');
  await note(deps, tx, call, {
    action: action === 'grant' ? 'consent.granted' : 'consent.withdrawn',
    target: { kind: 'address', id: person.addressId },
    after: { channel, topic: topic.key, basis, state: recorded.state, eventId: recorded.eventId },
  });
  return { eventId: recorded.eventId, state: recorded.state };
}

function recordRoutes(deps: ConsentRoutesDeps): Route[] {
  const { consent, clock } = deps;
  return [
    route(contract.recordConsent, async (tx, call) => {
      const { address, channel, topic: key, action, basis, evidence } = call.body;
      const at = timeOfAct(evidence.at === undefined ? undefined : Temporal.Instant.from(evidence.at), clock.now());
      if (at === undefined) throw invalidField('/evidence/at', 'lies in the future');
      const topic = await consent.topics.require(tx, key, { pointer: '/topic', archived: action === 'withdraw' });
      if ('value' in address) assertReaches(channel, address.kind);
      const person = await personOf(deps, tx, address);
      return recordOne(deps, tx, call, { person, topic, channel, action, basis, evidence, at });
    }),
    route(contract.unsubscribe, async (tx, call) => {
      const { address, channel, topic: key, reason } = call.body;
      const topic = await consent.topics.require(tx, key, { pointer: '/topic', archived: true });
      if ('value' in address) assertReaches(channel, address.kind);
      const person = await personOf(deps, tx, address);
      const evidence = { source: sourceOf(call.caller), reason };
      return recordOne(deps, tx, call, {
        person,
        topic,
        channel,
        action: 'withdraw',
        basis: 'consent',
        evidence,
        at: clock.now(),
      });
    }),
    route(contract.optOut, async (tx, call) => {
      const { address, reason } = call.body;
      const person = await deps.people.findAddress(tx, address, 'value' in address ? '/address/value' : '/address/id');
      if (person === undefined && 'id' in address) throw notFound('address');
      const source = sourceOf(call.caller);
      const by = { source, actor: `${call.caller.kind}:${call.caller.id}`, evidence: { source, reason } };
      const withdrawn = person === undefined ? 0 : (await consent.optOut(tx, { ...person, ...by })).withdrawn;
      if (person === undefined && 'value' in address) await suppressStranger(deps, tx, address);
      await note(deps, tx, call, {
        action: 'consent.opted-out',
        target: person === undefined ? null : { kind: 'address', id: person.addressId },
        after: { withdrawn, reason: reason ?? null },
      });
      return { withdrawn, suppressed: true };
    }),
  ];
}

/** Nobody has the address yet; whoever brings it later finds it on the list. */
async function suppressStranger(
  deps: ConsentRoutesDeps,
  tx: Tx,
  given: { kind: AddressKind; value: string },
): Promise<void> {
  const hashed = await deps.people.hashAddress(tx, given, '/address/value');
  await store.insertSuppressions(tx, [{ ...hashed, reason: 'opt-out' }], deps.clock.now());
}

const idShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** In a path an address is an id, an e-mail or a phone number. */
function refOfPath(address: string): AddressRef {
  if (idShape.test(address)) return { id: address.toLowerCase() };
  return { kind: address.includes('@') ? 'email' : 'phone', value: address };
}

async function knownPerson(deps: ConsentRoutesDeps, tx: Tx, address: string): Promise<Person> {
  const person = await deps.people.findAddress(tx, refOfPath(address), '/params/address');
  if (person === undefined) throw new AppError('consent/address-unknown', 'No contact has this address.');
  return person;
}

/** The channels are checked when they are written. */
type Channel = 'email' | 'sms' | 'whatsapp' | 'push' | 'inapp';

function proofRoutes(deps: ConsentRoutesDeps): Route[] {
  const { consent, vault, clock } = deps;
  return [
    route(contract.getConsent, async (tx, { params }) => {
      const person = await knownPerson(deps, tx, params.address);
      const standing = await consent.consentsOf(tx, [person.addressId]);
      const history = await readProvenHistory(tx, await vault.keys(tx), person);
      return {
        address: person.masked,
        contactId: person.contactId,
        consents: standing.map(({ channel, topicKey, state, basis, since, eventId }) => {
          return { channel: channel as Channel, topic: topicKey, state, basis, since: since.toString(), eventId };
        }),
        history: history.map((entry) => entry.shown),
      };
    }),
    route(contract.proveConsent, async (tx, { params, caller }) => {
      const person = await knownPerson(deps, tx, params.address);
      const entries = await readProvenHistory(tx, await vault.keys(tx), person);
      const head = await consent.head(tx);
      const document = {
        workspaceId: caller.workspaceId,
        address: person.masked,
        generatedAt: clock.now().toString(),
        entries: entries.map(({ shown, mac }) => ({ ...shown, mac })),
        head: { seq: head?.seq ?? 0, mac: head?.mac.toString('base64') ?? '' },
      };
      return { ...document, signature: signDocument(vault, document) };
    }),
    streamRoute(contract.verifyConsent, ({ caller }, db) => consent.verify(db, caller.workspaceId)),
    route(contactConsents, async (tx, { params: { id } }) => {
      if (!(await deps.people.exists(tx, id))) throw notFound('contact');
      const addresses = new Map((await deps.people.addressesOf(tx, id)).map((one) => [one.addressId, one]));
      const standing = await consent.consentsOf(tx, [...addresses.keys()]);
      return {
        data: standing.flatMap(({ addressId, channel, topicId, topicKey, topicName, state, basis, since, eventId }) => {
          const person = addresses.get(addressId);
          if (person === undefined) return [];
          const address = { id: addressId, kind: person.kind, masked: person.masked };
          const topic = { id: topicId, key: topicKey, name: topicName };
          return [{ address, channel: channel as Channel, topic, state, basis, since: since.toString(), eventId }];
        }),
      };
    }),
  ];
}

function presentSuppression(one: Suppression) {
  const { kind, reason, createdAt } = one;
  const channel = channels.safeParse(one.channel).data ?? null;
  return { id: suppressionId(one), kind, channel, reason, createdAt: createdAt.toString() };
}

/** With `address`, the list is that one address, if it is on it: as whatever it can be read as. */
async function lookUpSuppression(
  deps: ConsentRoutesDeps,
  tx: Tx,
  address: string,
  kind: AddressKind | undefined,
): Promise<Suppression[]> {
  const ref = refOfPath(address);
  if ('id' in ref) throw invalidField('/query/address', 'is not an address');
  const hashed = await deps.people.hashAddress(tx, { kind: kind ?? ref.kind, value: address }, '/query/address');
  const found = await store.findSuppression(tx, hashed);
  return found === undefined ? [] : [found];
}

function suppressionRoutes(deps: ConsentRoutesDeps): Route[] {
  return [
    route(contract.listSuppressions, async (tx, { query: { limit, cursor, reason, kind, address } }) => {
      if (address !== undefined) {
        const found = await lookUpSuppression(deps, tx, address, kind);
        return {
          data: found.filter((one) => reason === undefined || one.reason === reason).map(presentSuppression),
          nextCursor: null,
        };
      }
      const [createdAt = '', id = ''] = decodeCursor(cursor, 'time', 'text') ?? [];
      const last = parseSuppressionId(id);
      const before = last === undefined ? undefined : { createdAt, address: last };
      const found = await store.listSuppressions(tx, { reason, kind, before }, limit + 1);
      const data = found.slice(0, limit);
      const end = data.at(-1);
      const more = found.length > limit && end !== undefined;
      return {
        data: data.map(presentSuppression),
        nextCursor: more ? encodeCursor(end.createdAt.toString(), suppressionId(end)) : null,
      };
    }),
    route(contract.createSuppression, async (tx, call) => {
      const hashed = await deps.people.hashAddress(tx, call.body.address, '/address/value');
      const [made] = await store.insertSuppressions(tx, [{ ...hashed, reason: 'manual' }], deps.clock.now());
      const stored = made ?? (await store.findSuppression(tx, hashed));
      if (stored === undefined) throw new Error('a suppression that was just there is gone');
      await note(deps, tx, call, {
        action: 'suppression.added',
        target: { kind: 'suppression', id: suppressionId(stored) },
        after: { reason: stored.reason },
      });
      return presentSuppression(stored);
    }),
    route(contract.deleteSuppression, async (tx, call) => {
      const address = parseSuppressionId(call.params.id);
      const stored = address === undefined ? undefined : await store.findSuppression(tx, address);
      if (address === undefined || stored === undefined) throw notFound('suppression');
      if (stored.reason === 'erased')
        throw new AppError(
          'suppression/erased-stays',
          'The person asked to be forgotten; only they can come back, with a new address or a new consent of their own.',
        );
      await store.deleteSuppression(tx, address);
      await note(deps, tx, call, {
        action: 'suppression.removed',
        target: { kind: 'suppression', id: call.params.id },
        before: { reason: stored.reason },
      });
    }),
  ];
}
