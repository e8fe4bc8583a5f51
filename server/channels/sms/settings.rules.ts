import { z } from 'zod';
import type { FieldProblem } from '../../platform/errors.ts';
import type { CountrySender } from './sender.rules.ts';
import { senderKind, takesNames } from './sender.rules.ts';

/** Fields that the settings of every SMS provider have. */

/** Another address than the vendor's own, such as the sandbox; whether it may be connected to is judged when it is. */
export const baseUrl = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .overwrite((url) => url.replace(/\/+$/, ''))
  .nullable()
  .default(null)
  .meta({ title: 'Base URL', description: 'Leave empty for the vendor’s own servers' });

export const senders = z
  .array(
    z.strictObject({
      country: z
        .string()
        .regex(/^[A-Z]{2}$/, 'must be two letters, such as US')
        .nullable()
        .meta({ title: 'Country', description: 'Two letters, such as US; empty for all others' }),
      from: z
        .string()
        .refine((from) => senderKind(from) !== undefined, {
          message: 'must be a number (+49…), a short code, or a name of up to 11 letters and digits',
        })
        .meta({
          title: 'Sender',
          description: 'A number (+49…), a short code, or a name of up to 11 letters and digits',
        }),
    }),
  )
  .max(250)
  .default([])
  .meta({ title: 'Senders', description: 'Who texts come from, by the country of the recipient' });

/** Pure: a country named twice, or a name where names are not carried. */
export function senderProblems(list: readonly CountrySender[]): readonly FieldProblem[] {
  const seen = new Set<string | null>();
  return list.flatMap(({ country, from }, index) => {
    const problems: FieldProblem[] = [];
    if (seen.has(country))
      problems.push({ pointer: `/settings/senders/${index}/country`, message: 'has a sender already' });
    if (country !== null && senderKind(from) === 'name' && !takesNames(country))
      problems.push({ pointer: `/settings/senders/${index}/from`, message: `names are not carried in ${country}` });
    seen.add(country);
    return problems;
  });
}
