import type { Activity } from '../../activity/index.ts';
import type { InAppMessage } from '../../../contract/inapp.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Db, Tx } from '../../platform/db.ts';
import { AppError, notFound } from '../../platform/errors.ts';
import { decodeCursor, encodeCursor } from '../../platform/http.ts';
import type { NewsDesk } from '../../platform/news.ts';
import type { Vault } from '../../platform/sealing.ts';
import type { OutgoingInApp } from '../port.ts';
import { contentOf } from './content.rules.ts';
import type { InAppContent } from './content.rules.ts';
import * as store from './store.ts';
import type { InAppRow, Show } from './store.ts';

export interface InboxDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly news: NewsDesk;
  readonly events: Pick<Activity, 'append'>;
}

/** Whose inbox it is. */
export interface Reader {
  readonly workspaceId: string;
  readonly contactId: string;
}

export type Kept = 'kept' | 'no-contact';

const context = 'in-app-message';
const keptDays = 365;

/** What open pages of this contact are told. */
export const newsKind = 'inapp';

/** Puts messages into inboxes, all in one transaction; an outcome for each. What is there already counts as kept. */
async function keep(
  { db, clock, vault, news }: InboxDeps,
  workspaceId: string,
  accountId: string,
  messages: readonly OutgoingInApp[],
): Promise<readonly Kept[]> {
  const kept = await db.transaction(workspaceId, async (tx) => {
    const keys = await vault.keys(tx);
    const salts = await store.saltsOf(tx, [...new Set(messages.map((one) => one.contactId))]);
    const rows = messages.flatMap((one) => {
      const salt = salts.get(one.contactId);
      if (salt === undefined) return [];
      const sealed = keys.sealFor(salt, JSON.stringify(contentOf(one)), context);
      const expiresAt = one.expiresAt === undefined ? null : Temporal.Instant.from(one.expiresAt);
      return [{ id: one.messageId, contactId: one.contactId, accountId, sealed, expiresAt }];
    });
    await store.insertMessages(tx, rows, clock.now());
    return messages.map((one): Kept => (salts.has(one.contactId) ? 'kept' : 'no-contact'));
  });
  for (const contactId of new Set(messages.map((one) => one.contactId)))
    news.publish(workspaceId, { kind: newsKind, id: contactId });
  return kept;
}

async function list(
  { clock, vault }: InboxDeps,
  tx: Tx,
  contactId: string,
  query: { readonly show: Show; readonly limit: number; readonly cursor: string | undefined },
) {
  const now = clock.now();
  const [at, id] = decodeCursor(query.cursor, 'time', 'id') ?? [];
  const after = at === undefined || id === undefined ? undefined : ([at, id] as const);
  const salt = await saltOf(tx, contactId);
  const rows = await store.listMessages(tx, { contactId, show: query.show, after, now, most: query.limit + 1 });
  const key = (await vault.keys(tx)).contactKey(salt);
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1);
  return {
    data: shown.map((row) => present(row, JSON.parse(key.open(row.sealed, context)) as InAppContent)),
    nextCursor:
      rows.length > shown.length && last !== undefined ? encodeCursor(last.createdAt.toString(), last.id) : null,
    unread: await store.countUnread(tx, contactId, now),
  };
}

/** An erased contact has no salt: whatever token is still about opens nothing. */
async function saltOf(tx: Tx, contactId: string): Promise<Buffer> {
  const salt = (await store.saltsOf(tx, [contactId])).get(contactId);
  if (salt === undefined) throw new AppError('inapp/token-refused', 'This inbox is closed.');
  return salt;
}

function present(row: InAppRow, content: InAppContent): InAppMessage {
  return {
    id: row.id,
    title: content.title,
    body: content.body,
    url: content.url,
    imageUrl: content.imageUrl,
    data: { ...content.data },
    at: row.createdAt.toString(),
    expiresAt: row.expiresAt?.toString() ?? null,
    readAt: row.readAt?.toString() ?? null,
    archivedAt: row.archivedAt?.toString() ?? null,
  };
}

export type Act = 'read' | 'click' | 'archive';

/** The first time only, so that what a page says twice stands in the history once. */
async function mark(deps: InboxDeps, tx: Tx, contactId: string, messageId: string, act: Act): Promise<void> {
  const at = deps.clock.now();
  const marks = { read: act !== 'archive', clicked: act === 'click', archived: act === 'archive' };
  const fresh = await store.markMessage(tx, contactId, messageId, marks, at);
  if (fresh === undefined) throw notFound('message');
  const kinds = [
    ...(fresh.read ? ['message.read'] : []),
    ...(fresh.clicked ? ['message.clicked'] : []),
    ...(fresh.archived ? ['message.archived'] : []),
  ];
  if (kinds.length > 0)
    await deps.events.append(
      tx,
      kinds.map((kind) => ({ kind, occurredAt: at, contactId, messageId, data: { channel: 'inapp' } })),
    );
}

async function markAll(deps: InboxDeps, tx: Tx, contactId: string): Promise<void> {
  const at = deps.clock.now();
  const ids = await store.markAllRead(tx, contactId, at);
  if (ids.length > 0)
    await deps.events.append(
      tx,
      ids.map((messageId) => ({
        kind: 'message.read',
        occurredAt: at,
        contactId,
        messageId,
        data: { channel: 'inapp' },
      })),
    );
}

/** The inboxes of contacts: what the in-app provider puts into them, and what their owners do with it. */
export function createInbox(deps: InboxDeps) {
  const changing = async (reader: Reader, work: (tx: Tx) => Promise<void>): Promise<{ unread: number }> => {
    const unread = await deps.db.transaction(reader.workspaceId, async (tx) => {
      await work(tx);
      return store.countUnread(tx, reader.contactId, deps.clock.now());
    });
    // To the other pages that the person has open.
    deps.news.publish(reader.workspaceId, { kind: newsKind, id: reader.contactId });
    return { unread };
  };
  return {
    keep: (workspaceId: string, accountId: string, messages: readonly OutgoingInApp[]) =>
      keep(deps, workspaceId, accountId, messages),
    isThere: (workspaceId: string, messageId: string) =>
      deps.db.read(workspaceId, (tx) => store.isThere(tx, messageId)),
    list: (reader: Reader, query: { show: Show; limit: number; cursor: string | undefined }) =>
      deps.db.read(reader.workspaceId, (tx) => list(deps, tx, reader.contactId, query)),
    unread: (reader: Reader) =>
      deps.db.read(reader.workspaceId, async (tx) => {
        await saltOf(tx, reader.contactId);
        return { unread: await store.countUnread(tx, reader.contactId, deps.clock.now()) };
      }),
    act: (reader: Reader, messageId: string, act: Act) =>
      changing(reader, (tx) => mark(deps, tx, reader.contactId, messageId, act)),
    readAll: (reader: Reader) => changing(reader, (tx) => markAll(deps, tx, reader.contactId)),
    mayOpen: async (tx: Tx, contactId: string) => (await store.saltsOf(tx, [contactId])).has(contactId),
    allowedOrigins: (workspaceId: string) => deps.db.read(workspaceId, (tx) => store.allowedOrigins(tx)),
    /** The person is erased. */
    forget: (tx: Tx, contactId: string) => store.forgetContact(tx, contactId),
    /** Part of the nightly round: what is older than a year. */
    forgetOld: (workspaceId: string) =>
      deps.db.transaction(workspaceId, (tx) =>
        store.forgetOld(tx, deps.clock.now().subtract({ hours: 24 * keptDays })),
      ),
  };
}

export type Inbox = ReturnType<typeof createInbox>;
