import type { AddressKind } from './address.rules.ts';
import { attributesProblem, mergeAttributes } from './attribute.rules.ts';
import type { Attributes } from './attribute.rules.ts';
import type { GivenAddress, GivenContact, Problem } from './import-row.rules.ts';

/** A contact as the database has it. */
export interface KnownContact {
  readonly id: string;
  readonly revision: number;
  readonly salt: Buffer;
  readonly externalId: string | null;
  readonly attributes: Attributes;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly country: string | null;
  readonly addresses: readonly { readonly id: string; readonly kind: AddressKind; readonly position: number }[];
}

export interface Found {
  readonly byExternalId: ReadonlyMap<string, KnownContact>;
  readonly byAddress: ReadonlyMap<string, { readonly addressId: string; readonly contact: KnownContact }>;
}

/** Under which an address is found: its kind and what the blind index is made of. */
export function addressKey(kind: AddressKind, matchKey: string): string {
  return `${kind}:${matchKey}`;
}

/** A given contact with ids minted beforehand, so that planning stays pure. */
export interface Candidate {
  readonly given: GivenContact;
  readonly id: string;
  readonly addressIds: readonly string[];
}

export interface NewAddress {
  readonly id: string;
  readonly contact: Target;
  readonly given: GivenAddress;
  readonly position: number;
}

/** What a contact is to become. */
export interface Target {
  readonly id: string;
  /** Undefined for a new one. */
  readonly known: KnownContact | undefined;
  /** The first row that spoke of a new one. */
  readonly candidate: Candidate;
  externalId: string | null;
  attributes: Attributes;
  locale: string | null;
  timeZone: string | null;
  country: string | null;
}

export type Outcome =
  | {
      readonly outcome: 'created' | 'updated' | 'unchanged';
      readonly line: number;
      readonly contact: Target;
      /** Of every address in the row, known or new. */
      readonly addresses: readonly { readonly id: string; readonly kind: AddressKind }[];
    }
  | { readonly outcome: 'rejected'; readonly line: number; readonly problems: readonly Problem[] };

export interface PagePlan {
  readonly outcomes: readonly Outcome[];
  readonly created: readonly Target[];
  readonly updated: readonly Target[];
  readonly addresses: readonly NewAddress[];
}

export const maxAddresses = 20;

interface Desk {
  readonly byExternalId: Map<string, Target>;
  readonly byAddress: Map<string, { id: string; contact: Target }>;
  readonly byId: Map<string, Target>;
  readonly owned: Map<Target, { kind: AddressKind; position: number }[]>;
}

function targetOf(desk: Desk, known: KnownContact, candidate: Candidate): Target {
  const there = desk.byId.get(known.id);
  if (there !== undefined) return there;
  const { id, externalId, attributes, locale, timeZone, country } = known;
  const target: Target = { id, known, candidate, externalId, attributes, locale, timeZone, country };
  desk.byId.set(id, target);
  desk.owned.set(
    target,
    known.addresses.map(({ kind, position }) => ({ kind, position })),
  );
  return target;
}

interface Match {
  readonly byExternalId: Target | undefined;
  readonly byAddress: readonly { readonly given: GivenAddress; readonly id: string; readonly contact: Target }[];
}

function lookUp(desk: Desk, found: Found, candidate: Candidate): Match {
  const { externalId, addresses } = candidate.given;
  let byExternalId = externalId === undefined ? undefined : desk.byExternalId.get(externalId);
  if (byExternalId === undefined && externalId !== undefined) {
    const known = found.byExternalId.get(externalId);
    if (known !== undefined) byExternalId = targetOf(desk, known, candidate);
  }
  const byAddress: { given: GivenAddress; id: string; contact: Target }[] = [];
  for (const given of addresses) {
    const key = addressKey(given.address.kind, given.address.matchKey);
    const seen = desk.byAddress.get(key);
    const known = seen === undefined ? found.byAddress.get(key) : undefined;
    if (seen !== undefined) byAddress.push({ given, ...seen });
    else if (known !== undefined)
      byAddress.push({ given, id: known.addressId, contact: targetOf(desk, known.contact, candidate) });
  }
  return { byExternalId, byAddress };
}

const named = (target: Target) =>
  target.externalId === null ? target.id : `${target.id} (external id "${target.externalId}")`;

/** Whom a row speaks of, or why it cannot be told. Merging two contacts is an explicit act, never an import's. */
function decide(desk: Desk, match: Match, given: GivenContact): Target | Problem | undefined {
  const { byExternalId, byAddress } = match;
  if (byExternalId !== undefined) {
    const other = byAddress.find((one) => one.contact !== byExternalId);
    if (other === undefined) return byExternalId;
    return {
      field: other.given.field,
      reason: `belongs to contact ${named(other.contact)}, but the external id names contact ${named(byExternalId)}`,
    };
  }
  const [first] = byAddress;
  if (first === undefined) return undefined;
  const other = byAddress.find((one) => one.contact !== first.contact);
  if (other !== undefined) {
    const reason = `belongs to contact ${named(other.contact)}, but ${first.given.field} belongs to contact ${named(first.contact)}`;
    return { field: other.given.field, reason };
  }
  const { contact } = first;
  if (given.externalId !== undefined && contact.externalId !== null)
    return {
      field: first.given.field,
      reason: `belongs to contact ${named(contact)}, but the external id "${given.externalId}" names nobody yet`,
    };
  const hasEmail = (addresses: readonly { kind: AddressKind }[]) => addresses.some((one) => one.kind === 'email');
  const byEmail = byAddress.some((one) => one.given.address.kind === 'email');
  // Households and switchboards share a telephone: that alone does not make two people one.
  if (!byEmail && hasEmail(given.addresses.map((one) => one.address)) && hasEmail(desk.owned.get(contact) ?? []))
    return {
      field: first.given.field,
      reason: `belongs to contact ${named(contact)}, whose e-mail address is another`,
    };
  return contact;
}

const isProblem = (decided: Target | Problem | undefined): decided is Problem =>
  decided !== undefined && 'reason' in decided;

function newTarget(desk: Desk, candidate: Candidate): Target {
  const target: Target = {
    id: candidate.id,
    known: undefined,
    candidate,
    externalId: null,
    attributes: {},
    locale: null,
    timeZone: null,
    country: null,
  };
  desk.owned.set(target, []);
  return target;
}

/** Writes what the row says into the target; true when it said something new. */
function apply(target: Target, given: GivenContact, attributes: Attributes): boolean {
  const before = [target.externalId, target.attributes, target.locale, target.timeZone, target.country];
  target.externalId = given.externalId ?? target.externalId;
  target.attributes = attributes;
  target.locale = given.locale ?? target.locale;
  target.timeZone = given.timeZone ?? target.timeZone;
  target.country = given.country ?? target.country;
  const after = [target.externalId, target.attributes, target.locale, target.timeZone, target.country];
  return after.some((value, at) => value !== before[at]);
}

interface Work extends Desk {
  readonly found: Found;
  readonly created: Target[];
  readonly updated: Set<Target>;
  readonly addresses: NewAddress[];
}

/** The addresses of a row that its contact does not have yet join at the end; those it has stay where they are. */
function join(work: Work, target: Target, candidate: Candidate, match: Match) {
  const owned = work.owned.get(target) ?? [];
  let position = owned.reduce((most, one) => Math.max(most, one.position + 1), 0);
  return candidate.given.addresses.map((given, at) => {
    const { kind, matchKey } = given.address;
    const there = match.byAddress.find((matched) => matched.given === given);
    if (there !== undefined) return { id: there.id, kind };
    const id = candidate.addressIds[at] ?? '';
    work.addresses.push({ id, contact: target, given, position });
    owned.push({ kind, position: position++ });
    work.byAddress.set(addressKey(kind, matchKey), { id, contact: target });
    return { id, kind };
  });
}

function judge(work: Work, candidate: Candidate): Outcome {
  const { given } = candidate;
  const match = lookUp(work, work.found, candidate);
  const decided = decide(work, match, given);
  const rejected = (problem: Problem): Outcome => ({ outcome: 'rejected', line: given.line, problems: [problem] });
  if (isProblem(decided)) return rejected(decided);
  const merged = mergeAttributes(decided?.attributes ?? {}, given.attributes);
  const tooMuch = attributesProblem(merged, given.attributes.length);
  if (tooMuch !== undefined) return rejected({ field: 'row', reason: tooMuch });
  const missing = given.addresses.length - match.byAddress.length;
  const had = decided === undefined ? 0 : (work.owned.get(decided)?.length ?? 0);
  if (had + missing > maxAddresses)
    return rejected({ field: 'row', reason: `would give one contact more than ${maxAddresses} addresses` });
  const target = decided ?? newTarget(work, candidate);
  const changed = apply(target, given, merged) || missing > 0;
  if (given.externalId !== undefined) work.byExternalId.set(given.externalId, target);
  if (decided === undefined) work.created.push(target);
  else if (changed && target.known !== undefined) work.updated.add(target);
  const outcome = decided === undefined ? 'created' : changed ? 'updated' : 'unchanged';
  return { outcome, line: given.line, contact: target, addresses: join(work, target, candidate, match) };
}

/**
 * Pure: what a page of rows does to what is there. Rows are judged in order, each seeing the ones before it, so
 * that a person who stands twice in a file is created once and updated once.
 */
export function planPage(candidates: readonly Candidate[], found: Found): PagePlan {
  const work: Work = {
    found,
    byExternalId: new Map(),
    byAddress: new Map(),
    byId: new Map(),
    owned: new Map(),
    created: [],
    updated: new Set(),
    addresses: [],
  };
  const outcomes = candidates.map((candidate) => judge(work, candidate));
  return { outcomes, created: work.created, updated: [...work.updated], addresses: work.addresses };
}
