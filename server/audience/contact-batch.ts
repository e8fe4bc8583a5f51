import type { Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { defineAttributes, inputContext } from './contact-input.ts';
import type { ContactsDeps } from './contact-input.ts';
import { readInput } from './given.rules.ts';
import type { ContactInput, InputProblem, ReadInput } from './given.rules.ts';
import type { Outcome } from './match.rules.ts';
import { PageRaceError, prepare, upsertPage } from './upsert.ts';
import type { Upserted } from './upsert.ts';

export interface BatchOutcome {
  readonly index: number;
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'rejected';
  readonly id?: string;
  readonly errors?: InputProblem[];
}

function problemsOf(read: ReadInput, index: number): InputProblem[] {
  const isNobody = read.contact.addresses.length === 0 && read.contact.externalId === undefined;
  if (read.problems.length > 0 || !isNobody) return [...read.problems];
  return [{ pointer: `/contacts/${index}`, message: 'has neither an address nor an external id' }];
}

function outcomeOf(one: Outcome): BatchOutcome {
  if (one.outcome !== 'rejected') return { index: one.line, outcome: one.outcome, id: one.contact.id };
  const errors = one.problems.map(({ field, reason }) => {
    return { pointer: field === 'row' ? `/contacts/${one.line}` : field, message: reason };
  });
  return { index: one.line, outcome: 'rejected', errors };
}

async function writeGood(deps: ContactsDeps, tx: Tx, reads: readonly ReadInput[]): Promise<Upserted['plan']> {
  const { clock, vault } = deps;
  const keys = await vault.keys(tx);
  await defineAttributes(tx, clock, reads);
  const page = reads.map((read) => prepare(keys, clock, read.contact, newId(clock), true));
  try {
    return (await upsertPage(tx, keys, page, clock.now())).plan;
  } catch (error) {
    if (!(error instanceof PageRaceError)) throw error;
    throw new AppError('conflict', 'Somebody else wrote some of these contacts just now. Send them again.');
  }
}

/** Creates and changes many; each is judged alone, so what is wrong with one does not keep the others. */
export async function writeBatch(deps: ContactsDeps, tx: Tx, inputs: readonly ContactInput[]): Promise<BatchOutcome[]> {
  const context = await inputContext(tx, deps.defaultCountry);
  const outcomes: BatchOutcome[] = [];
  const good: ReadInput[] = [];
  inputs.forEach((input, index) => {
    const read = readInput(input, { ...context, root: `/contacts/${index}`, line: index });
    const errors = problemsOf(read, index);
    if (errors.length > 0) outcomes.push({ index, outcome: 'rejected', errors });
    else good.push(read);
  });
  const plan = await writeGood(deps, tx, good);
  outcomes.push(...plan.outcomes.map(outcomeOf));
  const events = (kind: string, targets: readonly { id: string }[]) =>
    targets.map((one) => ({ kind, contactId: one.id, occurredAt: deps.clock.now() }));
  await deps.activity.append(tx, [
    ...events('contact.created', plan.created),
    ...events('contact.updated', plan.updated),
  ]);
  return outcomes.sort((a, b) => a.index - b.index);
}
