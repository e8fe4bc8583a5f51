import type { Activity } from '../activity/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { Vault } from '../platform/sealing.ts';
import { addAttributes, listAttributes } from './attribute.store.ts';
import type { InputContext, InputProblem, ReadInput } from './given.rules.ts';
import type { AudiencePorts } from './ports.ts';

export interface ContactsDeps {
  readonly clock: Clock;
  readonly vault: Vault;
  readonly activity: Pick<Activity, 'append'>;
  readonly ports: Pick<AudiencePorts, 'erase'>;
  /** Of the workspace, for telephone numbers written without a country code. */
  readonly defaultCountry: (tx: Tx) => Promise<string | undefined>;
}

/** What reading a contact needs to know of its workspace. */
export async function inputContext(
  tx: Tx,
  defaultCountry: (tx: Tx) => Promise<string | undefined>,
): Promise<InputContext> {
  const types = new Map((await listAttributes(tx)).map((one) => [one.key, one.type] as const));
  return { types, defaultCountry: await defaultCountry(tx), root: '', line: 0 };
}

/** Defines the attributes that were named for the first time, with the types their values have. */
export async function defineAttributes(tx: Tx, clock: Clock, reads: readonly ReadInput[]): Promise<void> {
  const fresh = new Map<
    string,
    { key: string; label: string; type: ReadInput['undefinedAttributes'][number]['type'] }
  >();
  for (const read of reads)
    for (const { key, type } of read.undefinedAttributes)
      if (!fresh.has(key)) fresh.set(key, { key, label: key, type });
  await addAttributes(tx, [...fresh.values()], clock.now());
}

/** Throws when there is something wrong, naming all of it. */
export function refuseProblems(problems: readonly InputProblem[]): void {
  if (problems.length === 0) return;
  const named = problems.slice(0, 3).map(({ pointer, message }) => `${pointer.slice(1)} ${message}`);
  throw new AppError('invalid-input', `${named.join('; ')}.`, { errors: problems });
}

const errorsAt = (pointer: string, contactId: string) => ({
  errors: [{ pointer, message: `belongs to contact ${contactId}` }],
});

export function externalIdTaken(contactId: string): AppError {
  const options = errorsAt('/externalId', contactId);
  return new AppError('contact/external-id-taken', `Contact ${contactId} has this external id.`, options);
}

export function addressTaken(pointer: string, contactId: string): AppError {
  const options = errorsAt(pointer, contactId);
  return new AppError('contact/address-taken', `Contact ${contactId} has this address.`, options);
}
