import { parseAddress } from './address.rules.ts';
import type { AddressKind } from './address.rules.ts';
import { keyProblem, readJson, typeOfJson } from './attribute.rules.ts';
import type { AttributeType, AttributeValue } from './attribute.rules.ts';
import type { GivenAddress, GivenContact } from './import-row.rules.ts';
import { readCountry, readLocale, readTimeZone } from './place.rules.ts';

/** A contact as a caller of the API gives it; null removes. */
export interface ContactInput {
  readonly externalId?: string | null | undefined;
  readonly addresses?: readonly { readonly kind: AddressKind; readonly value: string }[] | undefined;
  readonly attributes?: Readonly<Record<string, unknown>> | undefined;
  readonly locale?: string | null | undefined;
  readonly timeZone?: string | null | undefined;
  readonly country?: string | null | undefined;
}

/** Where and what, as problem documents name it. */
export interface InputProblem {
  readonly pointer: string;
  readonly message: string;
}

export interface ReadInput {
  readonly contact: GivenContact;
  readonly problems: readonly InputProblem[];
  /** Attributes nobody has defined yet, with the types their values have. */
  readonly undefinedAttributes: readonly { readonly key: string; readonly type: AttributeType }[];
}

export interface InputContext {
  readonly types: ReadonlyMap<string, AttributeType>;
  readonly defaultCountry: string | undefined;
  /** JSON pointer of the contact in the body: empty, or `/contacts/3`. */
  readonly root: string;
  readonly line: number;
}

type Attributes = [string, AttributeValue | undefined][];

function readAttributes(given: Readonly<Record<string, unknown>>, context: InputContext, problems: InputProblem[]) {
  const attributes: Attributes = [];
  const fresh: { key: string; type: AttributeType }[] = [];
  for (const [key, value] of Object.entries(given)) {
    const pointer = `${context.root}/attributes/${key}`;
    const wrongKey = keyProblem(key);
    if (wrongKey !== undefined) {
      problems.push({ pointer, message: wrongKey });
      continue;
    }
    if (value === null) {
      attributes.push([key, undefined]);
      continue;
    }
    const known = context.types.get(key);
    const type = known ?? typeOfJson(value);
    const read = readJson(type, value);
    if (!read.ok) problems.push({ pointer, message: read.reason });
    else {
      attributes.push([key, read.value]);
      if (known === undefined) fresh.push({ key, type });
    }
  }
  return { attributes, fresh };
}

/** Pure: reads every part, and says of each that cannot be kept what is wrong with it. */
export function readInput(input: ContactInput, context: InputContext): ReadInput {
  const { root } = context;
  const problems: InputProblem[] = [];
  const place = (field: 'locale' | 'timeZone' | 'country', read: typeof readLocale) => {
    const given = input[field];
    if (given === undefined || given === null) return undefined;
    const result = read(given);
    if (result.ok) return result.value;
    problems.push({ pointer: `${root}/${field}`, message: result.reason });
    return undefined;
  };
  const locale = place('locale', readLocale);
  const timeZone = place('timeZone', readTimeZone);
  const country = place('country', readCountry);
  const addresses: GivenAddress[] = [];
  (input.addresses ?? []).forEach(({ kind, value }, at) => {
    const pointer = `${root}/addresses/${at}/value`;
    const read = parseAddress(kind, value, country ?? context.defaultCountry);
    if (!read.ok) problems.push({ pointer, message: read.reason });
    else if (addresses.some((one) => one.address.kind === kind && one.address.matchKey === read.address.matchKey))
      problems.push({ pointer, message: 'is in the list twice' });
    else addresses.push({ address: read.address, field: pointer });
  });
  const { attributes, fresh } = readAttributes(input.attributes ?? {}, context, problems);
  const externalId = input.externalId ?? undefined;
  const contact = {
    line: context.line,
    externalId,
    externalIdField: `${root}/externalId`,
    addresses,
    attributes,
    locale,
    timeZone,
    country,
  };
  return { contact, problems, undefinedAttributes: fresh };
}
