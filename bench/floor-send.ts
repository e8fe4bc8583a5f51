import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Liquid } from 'liquidjs';
import type pg from 'pg';
import { systemClock } from '../server/platform/clock.ts';
import { newId } from '../server/platform/ids.ts';
import { subject, text, html } from './mail.ts';

const pageRows = 500;
const connections = 8;

interface Candidate {
  readonly id: string;
  readonly address: string;
  readonly attributes: Record<string, string>;
}

/**
 * The least a sender on PostgreSQL must do: insert the row, read consent and what to render with pinned plans, render
 * with four signed links, hand over through the same sink (by lean pipelined SMTP, or one plain request), record outcome and event; one claim
 * row is moved ahead per page. Contacts are those of the floor's import.
 */
export async function floorSend(
  client: pg.Client,
  kind: 'email' | 'phone',
  handOver: HandOver,
): Promise<{ seconds: number; sent: number }> {
  const render = renderer();
  const started = performance.now();
  let after = '00000000-0000-0000-0000-000000000000';
  let sent = 0;
  for (;;) {
    const page = await plan(client, after);
    if (page.length === 0) break;
    after = page.at(-1)?.contactId ?? after;
    const candidates = await read(
      client,
      page.map((one) => one.id),
      kind,
    );
    await handOver(candidates.map((one) => ({ to: one.address, ...render(one) })));
    await settle(client, candidates);
    sent += candidates.length;
  }
  return { seconds: (performance.now() - started) / 1000, sent };
}

async function plan(client: pg.Client, after: string): Promise<{ id: string; contactId: string }[]> {
  const { rows } = await client.query<{ id: string }>({
    name: 'page',
    text: 'select id from floor.contact where id > $1 order by id limit $2',
    values: [after, pageRows],
  });
  const page = rows.map((row) => ({ id: newId(systemClock), contactId: row.id }));
  if (page.length === 0) return page;
  await client.query('begin');
  await client.query({
    name: 'plan',
    text: `insert into floor.message (id, contact_id, state) select *, 'planned' from unnest($1::uuid[], $2::uuid[]) on conflict do nothing`,
    values: [page.map((one) => one.id), page.map((one) => one.contactId)],
  });
  await client.query({
    name: 'window',
    text: 'update floor.claim set begun = begun + $1 where id = 1',
    values: [page.length],
  });
  await client.query('commit');
  return page;
}

async function read(client: pg.Client, ids: readonly string[], kind: string): Promise<Candidate[]> {
  const { rows } = await client.query<Candidate>({
    name: 'read',
    text: `select m.id, a.value as address, c.attributes from unnest($1::uuid[]) k (id)
           cross join lateral (select * from floor.message where id = k.id offset 0) m
           cross join lateral (select * from floor.contact where id = m.contact_id offset 0) c
           cross join lateral (select * from floor.address where contact_id = c.id and kind = $2 order by kind limit 1) a
           cross join lateral (select state from floor.consent where address_id = a.id and state = 'granted' offset 0) s`,
    values: [ids, kind],
  });
  return rows;
}

async function settle(client: pg.Client, sent: readonly Candidate[]): Promise<void> {
  await client.query('begin');
  await client.query({
    name: 'settle',
    text: `update floor.message m set state = 'accepted', ref = k.id::text, settled_at = now() from unnest($1::uuid[]) k (id) where m.id = k.id`,
    values: [sent.map((one) => one.id)],
  });
  await client.query({
    name: 'events',
    text: `insert into floor.event select *, 'accepted', now() from unnest($1::uuid[], $2::uuid[])`,
    values: [sent.map(() => newId(systemClock)), sent.map((one) => one.id)],
  });
  await client.query('commit');
}

function renderer(): (one: Candidate) => Rendered {
  const engine = new Liquid();
  const parts = [subject, text, html].map((source) => engine.parse(source));
  return (one) => {
    const mac = createHmac('sha256', 'key').update(one.id).digest('base64url');
    const scope = { contact: one.attributes, token: `${one.id}.${mac}` };
    const [head, plain, markup] = parts.map((part) => String(engine.renderSync(part, scope)));
    const mail = `From: News <news@example.com>\r\nTo: ${one.address}\r\nSubject: ${head ?? ''}\r\nMessage-ID: <${one.id}@example.com>\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\nList-Unsubscribe: <https://example.com/u/${one.id}.${mac}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${plain ?? ''}\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${markup ?? ''}\r\n--b--\r\n.\r\n`;
    return { mail, words: plain ?? '' };
  };
}

export interface Rendered {
  /** Whole, dot included. */
  readonly mail: string;
  /** Its text alone. */
  readonly words: string;
}

/** Hands a page over; resolves when all of it is answered. */
export type HandOver = (messages: readonly (Rendered & { readonly to: string })[]) => Promise<void>;

/** Over SMTP, the page spread over some connections. */
export async function openLines(port: number): Promise<HandOver> {
  const lines = await Promise.all(Array.from({ length: connections }, () => openLine(port)));
  return async (messages) => {
    const per = Math.ceil(messages.length / lines.length);
    await Promise.all(lines.map((line, i) => line(messages.slice(i * per, (i + 1) * per))));
  };
}

type Line = (mails: readonly { to: string; mail: string }[]) => Promise<void>;

/** A connection that writes one body together with the next envelope (RFC 2920) and counts the answers. */
async function openLine(port: number): Promise<Line> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let answers = '';
  let wake: () => void = () => undefined;
  socket.on('data', (chunk: Buffer) => {
    answers += chunk.toString('latin1');
    wake();
  });
  /** Waits for `count` complete last lines ("250 …", "354 …"). */
  const take = async (count: number) => {
    for (;;) {
      const done = answers.match(/^\d{3} .*\r\n/gm) ?? [];
      if (done.length >= count) break;
      await new Promise<void>((resolve) => (wake = resolve));
    }
    answers = '';
  };
  await take(1);
  socket.write('EHLO bench\r\n');
  await take(1);
  const envelope = (to: string) => `MAIL FROM:<news@example.com>\r\nRCPT TO:<${to}>\r\nDATA\r\n`;
  return async (mails) => {
    for (const [i, one] of mails.entries()) {
      if (i === 0) {
        socket.write(envelope(one.to));
        await take(3);
      }
      const next = mails[i + 1];
      socket.write(next === undefined ? one.mail : one.mail + envelope(next.to));
      await take(next === undefined ? 1 : 4);
    }
  };
}
