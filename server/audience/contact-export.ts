import type { Db } from '../platform/db.ts';
import type { Vault } from '../platform/sealing.ts';
import { listAttributes } from './attribute.store.ts';
import type { ListContacts, ListFilter } from './contact-list.ts';
import { csvLine } from './csv-write.rules.ts';
import { openAddresses } from './present.ts';

const pageRows = 500;

/**
 * Contacts as CSV, oldest first, in pages by id: bounded memory and short transactions, however many there are.
 * Its columns are named so that the file can be imported again; `parley_id` is for reading only.
 */
export async function* exportedRows(
  deps: { db: Db; vault: Vault; list: ListContacts },
  workspaceId: string,
  filter: ListFilter,
): AsyncGenerator<string> {
  const { db, vault, list } = deps;
  const keys = (await db.read(workspaceId, listAttributes)).map((attribute) => attribute.key);
  yield csvLine([
    'parley_id',
    'external_id',
    'email',
    'phone',
    'other_addresses',
    'locale',
    'time_zone',
    'country',
    'created_at',
    ...keys,
  ]);
  for (let after: string | undefined; ;) {
    const { contacts, opener } = await db.read(workspaceId, async (tx) => ({
      contacts: await list(tx, filter, { after, descending: false, limit: pageRows }),
      opener: await vault.keys(tx),
    }));
    let lines = '';
    for (const contact of contacts) {
      const addresses = openAddresses(opener, contact);
      const first = (kind: string) => addresses.find(({ stored }) => stored.kind === kind);
      const [email, phone] = [first('email'), first('phone')];
      const others = addresses.filter((one) => one !== email && one !== phone).map((one) => one.value);
      const attributes = keys.map((key) => {
        const value = contact.attributes[key];
        return value === undefined ? '' : typeof value === 'object' ? value.join('|') : String(value);
      });
      lines += csvLine([
        contact.id,
        contact.externalId ?? '',
        email?.value ?? '',
        phone?.value ?? '',
        others.join(' '),
        contact.locale ?? '',
        contact.timeZone ?? '',
        contact.country ?? '',
        contact.createdAt.toString(),
        ...attributes,
      ]);
    }
    if (lines !== '') yield lines;
    const last = contacts.at(-1);
    if (last === undefined || contacts.length < pageRows) return;
    after = last.id;
  }
}
