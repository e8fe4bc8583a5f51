import type { Condition } from './contact.store.ts';

/** What a list of contacts is narrowed by; everything is compared with `=`, which reaches an index under row-level security. */
export interface ContactFilter {
  /** Ids that a whole address, an external id or an id led to. */
  readonly ids: readonly string[] | undefined;
  readonly domain: string | undefined;
  readonly country: string | undefined;
  readonly locale: string | undefined;
  readonly addressState: string | undefined;
}

export type Bind = (value: unknown) => string;

/** Pure: the condition over the contact alias `c`; placeholders start at $2. `more` adds what another slice knows. */
export function filterCondition(filter: ContactFilter, more: ((bind: Bind) => string) | undefined): Condition {
  const values: unknown[] = [];
  const bind: Bind = (value) => `$${values.push(value) + 1}`;
  const parts: string[] = [];
  if (filter.ids !== undefined) parts.push(`c.id = any(${bind(filter.ids)}::uuid[])`);
  if (filter.country !== undefined) parts.push(`c.country = ${bind(filter.country)}`);
  if (filter.locale !== undefined) parts.push(`c.locale = ${bind(filter.locale)}`);
  const ofAddress = [
    ...(filter.domain === undefined ? [] : [`a.domain = ${bind(filter.domain)}`]),
    ...(filter.addressState === undefined ? [] : [`a.state = ${bind(filter.addressState)}`]),
  ];
  if (ofAddress.length > 0)
    parts.push(
      `exists (select 1 from address a where a.workspace_id = $1 and a.contact_id = c.id and ${ofAddress.join(' and ')})`,
    );
  if (more !== undefined) parts.push(`(${more(bind)})`);
  return { text: parts.map((part) => `and ${part}`).join(' '), values };
}
