import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, invalidField, notFound } from '../platform/errors.ts';
import { keyProblem } from './attribute.rules.ts';
import type { AttributeDraft, AttributeRow } from './attribute.store.ts';
import * as store from './attribute.store.ts';

const maxDefinitions = 1000;

/** Definitions of attributes: a key and its type stay for good, since templates and segments are written against them. */
export function createAttributes(clock: Clock) {
  return {
    list: store.listAttributes,
    create: async (tx: Tx, draft: AttributeDraft): Promise<AttributeRow> => {
      const problem = keyProblem(draft.key);
      if (problem !== undefined) throw invalidField('/key', problem);
      if ((await store.listAttributes(tx)).length >= maxDefinitions)
        throw new AppError('conflict', `There are ${maxDefinitions} attributes already.`);
      const [added] = await store.addAttributes(tx, [draft], clock.now());
      if (added === undefined)
        throw new AppError('attribute/exists', `There is an attribute "${draft.key}" already.`, {
          errors: [{ pointer: '/key', message: 'exists already' }],
        });
      return added;
    },
    rename: async (tx: Tx, key: string, label: string): Promise<{ before: AttributeRow; after: AttributeRow }> => {
      const before = (await store.listAttributes(tx)).find((one) => one.key === key);
      const after = before === undefined ? undefined : await store.renameAttribute(tx, key, label);
      if (before === undefined || after === undefined) throw notFound('attribute');
      return { before, after };
    },
  };
}
