import { parse } from 'csv-parse';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { Readable } from 'node:stream';
import type pg from 'pg';
import { systemClock } from '../server/platform/clock.ts';
import { newId } from '../server/platform/ids.ts';
import { csv } from './people.ts';

const pageRows = 1_000;

type Row = readonly string[];

/** The least an import must do: read the file, put numbers into E.164, find who is known, write contact, addresses and consent in pages. */
export async function floorImport(
  client: pg.Client,
  rows: number,
  /** Which address agreed. */
  agreed: 'email' | 'phone' = 'email',
): Promise<{ seconds: number }> {
  const started = performance.now();
  const parser = Readable.from(csv(rows)).pipe(parse({ from_line: 2 }));
  let page: Row[] = [];
  let writing: Promise<void> = Promise.resolve();
  for await (const record of parser) {
    page.push(record as Row);
    if (page.length < pageRows) continue;
    const full = page;
    page = [];
    const prepared = prepare(full);
    await writing;
    writing = write(client, prepared, agreed);
  }
  await writing;
  if (page.length > 0) await write(client, prepare(page), agreed);
  return { seconds: (performance.now() - started) / 1000 };
}

function prepare(page: readonly Row[]) {
  return page.map(([external = '', email = '', phone = '', first = '', last = '', city = '', plan = '']) => ({
    id: newId(systemClock),
    emailId: newId(systemClock),
    phoneId: newId(systemClock),
    external,
    email: email.toLowerCase(),
    phone: parsePhoneNumberFromString(phone)?.number ?? phone,
    attributes: JSON.stringify({ first_name: first, last_name: last, city, plan }),
  }));
}

async function write(client: pg.Client, page: ReturnType<typeof prepare>, agreed: 'email' | 'phone'): Promise<void> {
  await client.query('begin');
  await client.query({
    name: 'find',
    text: `select k.v, a.contact_id from unnest($1::text[]) k (v) cross join lateral (select contact_id from floor.address where kind = 'email' and value = k.v offset 0) a`,
    values: [page.map((one) => one.email)],
  });
  await client.query({
    name: 'contacts',
    text: 'insert into floor.contact select *, now() from unnest($1::uuid[], $2::text[], $3::jsonb[]) on conflict do nothing',
    values: [page.map((one) => one.id), page.map((one) => one.external), page.map((one) => one.attributes)],
  });
  await client.query({
    name: 'addresses',
    text: 'insert into floor.address select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) on conflict do nothing',
    values: [
      page.flatMap((one) => [one.emailId, one.phoneId]),
      page.flatMap((one) => [one.id, one.id]),
      page.flatMap(() => ['email', 'phone']),
      page.flatMap((one) => [one.email, one.phone]),
    ],
  });
  await client.query({
    name: 'consents',
    text: `insert into floor.consent select a, 'granted', 'import', now() from unnest($1::uuid[]) x (a) on conflict do nothing`,
    values: [page.map((one) => (agreed === 'email' ? one.emailId : one.phoneId))],
  });
  await client.query('commit');
}
