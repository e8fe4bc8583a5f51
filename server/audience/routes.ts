import { Readable } from 'node:stream';
import { createAttribute, listAttributes, updateAttribute } from '../../contract/attributes.ts';
import {
  batchContacts,
  contactTimeline,
  createContact,
  deleteContact,
  exportContacts,
  getContact,
  listContacts,
  revealContact,
  updateContact,
} from '../../contract/contacts.ts';
import type { TimelineEntry } from '../../contract/contacts.ts';
import type { Activity } from '../activity/index.ts';
import type { Db, Tx } from '../platform/db.ts';
import { decodeIdCursor, encodeCursor, requireMatch, route, streamRoute } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';
import type { Audience } from './audience.ts';
import type { AttributeRow } from './attribute.store.ts';
import type { StoredContact } from './contact.store.ts';
import { exportedRows } from './contact-export.ts';
import { importRoutes } from './import.routes.ts';
import type { ImportRoutesDeps } from './import.routes.ts';
import type { Asked, AuditPort } from './ports.ts';

export interface AudienceRoutesDeps extends ImportRoutesDeps {
  readonly audience: Audience;
  readonly activity: Pick<Activity, 'timeline'>;
  readonly audit: AuditPort;
}

const actedBy = ({ caller, ip, userAgent, requestId }: Asked) => ({ actor: caller, ip, userAgent, requestId });

/** What the audit keeps of a contact: which fields are set, never an address or what is said about the person. */
function outlineOf(contact: StoredContact) {
  const { externalId, locale, timeZone, country } = contact;
  return {
    externalId,
    locale,
    timeZone,
    country,
    attributes: Object.keys(contact.attributes),
    addresses: contact.addresses.map((one) => ({ id: one.id, kind: one.kind, state: one.state })),
  };
}

function presentAttribute({ key, label, type, createdAt }: AttributeRow) {
  return { key, label, type, createdAt: createdAt.toString() };
}

function readingRoutes({ audience }: AudienceRoutesDeps): Route[] {
  const { contacts, list } = audience;
  return [
    route(listContacts, async (tx, call) => {
      const { limit, cursor, sort, ...filter } = call.query;
      const found = await list(tx, filter, {
        after: decodeIdCursor(cursor),
        descending: sort === '-createdAt',
        limit: limit + 1,
      });
      const page = found.slice(0, limit);
      const last = found.length > limit ? page.at(-1) : undefined;
      const data = await Promise.all(page.map((one) => contacts.present(tx, one)));
      return { data, nextCursor: last === undefined ? null : encodeCursor(last.id) };
    }),
    route(getContact, async (tx, call) => contacts.present(tx, await contacts.get(tx, call.params.id))),
  ];
}

function changeRoutes({ audience, audit }: AudienceRoutesDeps): Route[] {
  const { contacts, change } = audience;
  return [
    route(updateContact, async (tx, call) => {
      const before = await contacts.get(tx, call.params.id, true);
      requireMatch(call, before.revision);
      const after = await change(tx, before, call.body);
      if (after !== before) {
        const target = { kind: 'contact', id: after.id };
        const entry = { ...actedBy(call), action: 'contact.updated', target };
        await audit.record(tx, { ...entry, before: outlineOf(before), after: outlineOf(after) });
      }
      return contacts.present(tx, after);
    }),
    route(deleteContact, async (tx, call) => {
      const { id, revision } = await contacts.get(tx, call.params.id, true);
      requireMatch(call, revision);
      await contacts.erase(tx, id);
      await audit.record(tx, { ...actedBy(call), action: 'contact.erased', target: { kind: 'contact', id } });
    }),
  ];
}

function writingRoutes({ audience, audit }: AudienceRoutesDeps): Route[] {
  const { contacts } = audience;
  return [
    route(createContact, async (tx, call) => {
      const contact = await contacts.create(tx, call.body, call.mintedId);
      const target = { kind: 'contact', id: contact.id };
      await audit.record(tx, { ...actedBy(call), action: 'contact.created', target, after: outlineOf(contact) });
      return contacts.present(tx, contact);
    }),
    route(batchContacts, async (tx, call) => {
      const data = await contacts.batch(tx, call.body.contacts);
      const count = (outcome: string) => data.filter((one) => one.outcome === outcome).length;
      const counts = {
        created: count('created'),
        updated: count('updated'),
        unchanged: count('unchanged'),
        rejected: count('rejected'),
      };
      const target = { kind: 'batch', id: call.mintedId };
      await audit.record(tx, { ...actedBy(call), action: 'contact.batch-written', target, after: counts });
      return { ...counts, data };
    }),
    route(revealContact, async (tx, call) => {
      const addresses = await contacts.reveal(tx, call.params.id);
      const target = { kind: 'contact', id: call.params.id };
      const { reason } = call.body;
      await audit.record(tx, { ...actedBy(call), action: 'contact.revealed', target, after: { reason } });
      return { addresses };
    }),
  ];
}

/** Imports write one event a page, not one a contact; the beginning of a contact's timeline is in its own row. */
const beginningOf = (contact: StoredContact): TimelineEntry => ({
  id: contact.id,
  at: contact.createdAt.toString(),
  kind: 'contact.created',
  messageId: null,
  campaignId: null,
  data: {},
});

function timelineRoute({ audience, activity }: AudienceRoutesDeps): Route {
  return route(contactTimeline, async (tx, call) => {
    const contact = await audience.contacts.get(tx, call.params.id);
    const page = await activity.timeline(tx, contact.id, {
      limit: call.query.limit,
      cursor: decodeIdCursor(call.query.cursor),
    });
    const data: TimelineEntry[] = page.data.map(({ id, occurredAt, kind, messageId, campaignId, data: details }) => ({
      id,
      at: occurredAt.toString(),
      kind,
      messageId,
      campaignId,
      data: { ...details },
    }));
    const isWhole = page.nextCursor === null;
    if (isWhole && !data.some((one) => one.kind === 'contact.created')) data.push(beginningOf(contact));
    return { data, nextCursor: page.nextCursor === null ? null : encodeCursor(page.nextCursor) };
  });
}

function exportRoute(deps: AudienceRoutesDeps): Route {
  const { audience, audit, vault } = deps;
  return streamRoute(exportContacts, async (call, db: Db) => {
    const { workspaceId } = call.caller;
    await db.transaction(workspaceId, async (tx: Tx) => {
      await audience.list(tx, call.query, { descending: false, limit: 1 }); // A filter that cannot work is refused before the first byte.
      const filter = Object.fromEntries(
        Object.entries(call.query).filter(([name, value]) => value !== undefined && name !== 'q'),
      );
      await audit.record(tx, {
        ...actedBy(call),
        action: 'contact.exported',
        target: { kind: 'export', id: call.mintedId },
        after: { filter, searched: call.query.q !== undefined },
      });
    });
    const rows = exportedRows({ db, vault, list: audience.list }, workspaceId, call.query);
    await call.reply
      .header('content-type', 'text/csv; charset=utf-8')
      .header('content-disposition', 'attachment; filename="contacts.csv"')
      .header('cache-control', 'no-store')
      .send(Readable.from(rows));
  });
}

function attributeRoutes({ audience, audit }: AudienceRoutesDeps): Route[] {
  const { attributes } = audience;
  return [
    route(listAttributes, async (tx) => ({ data: (await attributes.list(tx)).map(presentAttribute) })),
    route(createAttribute, async (tx, call) => {
      const added = presentAttribute(await attributes.create(tx, call.body));
      await audit.record(tx, {
        ...actedBy(call),
        action: 'attribute.created',
        target: { kind: 'attribute', id: added.key },
        after: added,
      });
      return added;
    }),
    route(updateAttribute, async (tx, call) => {
      const { before, after } = await attributes.rename(tx, call.params.key, call.body.label);
      await audit.record(tx, {
        ...actedBy(call),
        action: 'attribute.updated',
        target: { kind: 'attribute', id: after.key },
        before: presentAttribute(before),
        after: presentAttribute(after),
      });
      return presentAttribute(after);
    }),
  ];
}

/** Every route of the audience but a contact's consents, which are the consent slice's. */
export function audienceRoutes(deps: AudienceRoutesDeps): Route[] {
  return [
    ...readingRoutes(deps),
    exportRoute(deps),
    ...writingRoutes(deps),
    ...changeRoutes(deps),
    timelineRoute(deps),
    ...attributeRoutes(deps),
    ...importRoutes(deps),
  ];
}
