import type { Contact } from '../../contract/contacts.ts';
import type { Activity } from '../activity/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, notFound } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Vault } from '../platform/sealing.ts';
import { addAttributes, listAttributes } from './attribute.store.ts';
import * as store from './contact.store.ts';
import type { StoredContact } from './contact.store.ts';
import { readInput } from './given.rules.ts';
import type { ContactInput, InputProblem, ReadInput } from './given.rules.ts';
import type { AudiencePorts } from './ports.ts';
import { openAddresses, presentContact } from './present.ts';
import { findPeople, PageRaceError, prepare, upsertPage } from './upsert.ts';

export interface ContactsDeps {
  readonly clock: Clock;
  readonly vault: Vault;
  readonly activity: Pick<Activity, 'append'>;
  readonly ports: Pick<AudiencePorts, 'erase'>;
  /** Of the workspace, for telephone numbers written without a country code. */
  readonly defaultCountry: (tx: Tx) => Promise<string | undefined>;
}

export interface BatchOutcome {
  readonly index: number;
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'rejected';
  readonly id?: string;
  readonly errors?: InputProblem[];
}

function refuse(problems: readonly InputProblem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  throw new AppError('invalid-input', `${first.pointer.slice(1)} ${first.message}.`, { errors: problems });
}

const taken = (pointer: string, contactId: string) =>
  pointer.endsWith('externalId')
    ? new AppError('contact/external-id-taken', `Contact ${contactId} has this external id.`, {
        errors: [{ pointer, message: `belongs to contact ${contactId}` }],
      })
    : new AppError('contact/address-taken', `Contact ${contactId} has this address.`, {
        errors: [{ pointer, message: `belongs to contact ${contactId}` }],
      });

/** Single contacts, as people and programs change them; files go through imports. */
export function createContacts({ clock, vault, activity, ports, defaultCountry }: ContactsDeps) {
  const contextOf = async (tx: Tx, root = '', line = 0) => ({
    types: new Map((await listAttributes(tx)).map((one) => [one.key, one.type] as const)),
    defaultCountry: await defaultCountry(tx),
    root,
    line,
  });

  const define = (tx: Tx, reads: readonly ReadInput[]) => {
    const fresh = new Map(
      reads.flatMap((read) =>
        read.undefinedAttributes.map(({ key, type }) => [key, { key, label: key, type }] as const),
      ),
    );
    return addAttributes(tx, [...fresh.values()], clock.now());
  };

  const get = async (tx: Tx, id: string, lock = false): Promise<StoredContact> => {
    const contact = await store.findStored(tx, id, lock);
    if (contact === undefined) throw notFound('contact');
    return contact;
  };

  /** Throws 409 when somebody has the external id or one of the addresses. */
  const create = async (tx: Tx, input: ContactInput, id = newId(clock)): Promise<StoredContact> => {
    const read = readInput(input, await contextOf(tx));
    refuse(read.problems);
    const keys = await vault.keys(tx);
    const prepared = prepare(keys, clock, read.contact, id, true);
    const found = await findPeople(tx, [prepared]);
    for (const [, known] of found.byExternalId) throw taken('/externalId', known.id);
    for (const { address, field } of read.contact.addresses) {
      const there = found.byAddress.get(`${address.kind}:${address.matchKey}`);
      if (there !== undefined) throw taken(field, there.contact.id);
    }
    await define(tx, [read]);
    try {
      const { plan } = await upsertPage(tx, keys, [prepared], clock.now());
      const [outcome] = plan.outcomes;
      if (outcome?.outcome === 'rejected')
        refuse(outcome.problems.map((one) => ({ pointer: '/attributes', message: one.reason })));
    } catch (error) {
      if (error instanceof PageRaceError)
        throw new AppError('conflict', 'Somebody else made the same contact just now.');
      throw error;
    }
    await activity.append(tx, [{ kind: 'contact.created', contactId: id, occurredAt: clock.now() }]);
    return get(tx, id);
  };

  /** Each is judged alone; what is wrong with one does not keep the others. */
  const batch = async (tx: Tx, inputs: readonly ContactInput[]): Promise<BatchOutcome[]> => {
    const context = await contextOf(tx);
    const reads = inputs.map((input, at) => readInput(input, { ...context, root: `/contacts/${at}`, line: at }));
    const outcomes = new Map<number, BatchOutcome>();
    const good = reads.filter((read, index) => {
      const nobody = read.contact.addresses.length === 0 && read.contact.externalId === undefined;
      const problems = [
        ...read.problems,
        ...(nobody && read.problems.length === 0
          ? [{ pointer: `/contacts/${index}`, message: 'has neither an address nor an external id' }]
          : []),
      ];
      if (problems.length > 0) outcomes.set(index, { index, outcome: 'rejected', errors: problems });
      return problems.length === 0;
    });
    const keys = await vault.keys(tx);
    await define(tx, good);
    const page = good.map((read) => prepare(keys, clock, read.contact, newId(clock), true));
    const { plan } = await upsertPage(tx, keys, page, clock.now()).catch((error: unknown) => {
      if (error instanceof PageRaceError)
        throw new AppError('conflict', 'Somebody else wrote some of these contacts just now. Send them again.');
      throw error;
    });
    for (const one of plan.outcomes)
      outcomes.set(
        one.line,
        one.outcome === 'rejected'
          ? {
              index: one.line,
              outcome: 'rejected',
              errors: one.problems.map(({ field, reason }) => ({
                pointer: field === 'row' ? `/contacts/${one.line}` : field,
                message: reason,
              })),
            }
          : { index: one.line, outcome: one.outcome, id: one.contact.id },
      );
    const events = (kind: string, ids: readonly string[]) =>
      ids.map((contactId) => ({ kind, contactId, occurredAt: clock.now() }));
    await activity.append(tx, [
      ...events(
        'contact.created',
        plan.created.map((one) => one.id),
      ),
      ...events(
        'contact.updated',
        plan.updated.map((one) => one.id),
      ),
    ]);
    return inputs.map((_, index) => outcomes.get(index) ?? { index, outcome: 'unchanged' });
  };

  /** Destroys key, addresses and everything that was known; tells whoever else knows of the person. */
  const erase = async (tx: Tx, id: string): Promise<void> => {
    await get(tx, id, true);
    const at = clock.now();
    await ports.erase(tx, { contactId: id, addresses: await store.hashesOf(tx, id), at });
    await store.eraseStored(tx, id, at);
    await activity.append(tx, [{ kind: 'contact.erased', contactId: id, occurredAt: at }]);
  };

  return {
    get,
    create,
    batch,
    erase,
    present: async (tx: Tx, contact: StoredContact): Promise<Contact> => presentContact(await vault.keys(tx), contact),
    reveal: async (tx: Tx, id: string) => {
      const contact = await get(tx, id);
      return openAddresses(await vault.keys(tx), contact).map(({ stored, value }) => ({
        id: stored.id,
        kind: stored.kind,
        value,
      }));
    },
    contextOf,
    define,
  };
}

export type Contacts = ReturnType<typeof createContacts>;
