import type { FastifyInstance } from 'fastify';
import { createConsentLab } from '../consent/testing.ts';
import type { ConsentLab } from '../consent/testing.ts';
import type { Hit } from '../delivery/index.ts';
import { newId } from '../platform/ids.ts';
import { makeToken } from '../platform/links.ts';
import { silentLog } from '../platform/log.ts';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createInbound, inboundRoutes } from './index.ts';

export const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';

/** Where the links of the template version lead. */
const links: Readonly<Record<number, string>> = {
  0: 'https://shop.example/a?x=1&y=2',
  1: 'https://shop.example/b',
  2: 'https://shop.example/c',
};

export interface Sent {
  readonly token: string;
  readonly messageId: string;
  readonly contactId: string;
  readonly addressId: string;
  readonly email: string;
}

export interface SendChange {
  readonly topic?: string | null;
  readonly locale?: string;
  readonly agreed?: boolean;
}

/** The pages and links on real consent, audience and event log. */
export async function createInboundLab() {
  const db: TestDb = await createTestDb();
  const lab: ConsentLab = createConsentLab(db);
  const { consent, activity } = lab;
  const counted: Hit[] = [];
  const inbound = createInbound({
    db: db.db,
    clock: db.clock,
    events: activity,
    consent,
    destinationOf: (_tx, _message, n) => Promise.resolve(links[n]),
    delivery: {
      applyEngagement: (_tx, hits) => {
        counted.push(...hits);
        return Promise.resolve();
      },
    },
  });
  const app: FastifyInstance = await createTestApp(db, inboundRoutes({ ...inbound, vault: db.vault, log: silentLog }));
  const [topicId, offersId] = await db.write(async (tx) => {
    const news = await consent.topics.create(tx, { id: newId(db.clock), key: 'news', name: 'News & <b>more</b>' });
    const offers = { id: newId(db.clock), key: 'offers', name: 'Offers', description: 'Now and then' };
    return [news.id, (await consent.topics.create(tx, offers)).id] as const;
  });

  let made = 0;
  /** A message of a campaign that was handed over just now. */
  const send = async (change: SendChange = {}): Promise<Sent> => {
    const email = `person${++made}@example.com`;
    const topic = change.topic === undefined ? topicId : change.topic;
    const sent = await db.write(async (tx) => {
      const who = await lab.audience.people.obtainAddress(tx, { kind: 'email', value: email }, '');
      const { contactId, addressId } = who;
      const [planId, messageId, campaignId] = [newId(db.clock), newId(db.clock), newId(db.clock)];
      if (change.locale !== undefined)
        await tx.query('update contact set locale = $3 where workspace_id = $1 and id = $2', [
          tx.workspaceId,
          contactId,
          change.locale,
        ]);
      await tx.query(
        `insert into plan (workspace_id, id, month, source, source_id, channel, category, topic_id, template_id, template_version, priority, created_at)
         values ($1, $2, '2026-02-01', 'campaign', $3, 'email', 'marketing', $4, $5, 1, 4, $6)`,
        [tx.workspaceId, planId, campaignId, topic, newId(db.clock), db.clock.now()],
      );
      await tx.query(
        `insert into message (workspace_id, plan_month, id, plan_id, recipient_key, contact_id, address_id, channel, state, planned_at, settled_at)
         values ($1, '2026-02-01', $2, $3, $4, $4, $5, 'email', 'accepted', $6, $6)`,
        [tx.workspaceId, messageId, planId, contactId, addressId, db.clock.now()],
      );
      const said = {
        channel: 'email',
        action: 'grant',
        basis: 'consent',
        source: 'api',
        actor: 'key:1',
        at: db.clock.now(),
      } as const;
      if (change.agreed !== false && topic !== null)
        await consent.record(tx, [{ contactId, addressId, topicId: topic, evidence: { source: 'form' }, ...said }]);
      return { messageId, contactId, addressId, email };
    });
    return {
      ...sent,
      token: makeToken(db.vault.linkKey(db.workspaceId), { workspaceId: db.workspaceId, messageId: sent.messageId }),
    };
  };

  return {
    db,
    below: lab,
    choices: inbound.choices,
    app,
    send,
    topicId,
    offersId,
    request: (method: 'GET' | 'HEAD' | 'POST', url: string, headers: Record<string, string> = {}, payload?: string) =>
      app.inject({
        method,
        url,
        headers: { 'user-agent': chrome, ...headers },
        ...(payload === undefined ? {} : { payload }),
      }),
    eventsOf: (messageId: string) =>
      db.read((tx) =>
        tx.query<{ kind: string; data: Record<string, unknown> }>(
          'select kind, data from event where workspace_id = $1 and message_id = $2 order by id',
          [db.workspaceId, messageId],
        ),
      ),
    stateOf: async (sent: Sent, topic = topicId) => {
      const consents = await db.read((tx) => consent.consentsOf(tx, [sent.addressId]));
      return consents.find((one) => one.topicId === topic)?.state;
    },
    /** What delivery was told since the last time. */
    countedKinds: async () => {
      await activity.drain(db.workspaceId);
      return counted.splice(0).map((hit) => hit.kind);
    },
    close: async () => {
      await app.close();
      await db.close();
    },
  };
}

export type InboundLab = Awaited<ReturnType<typeof createInboundLab>>;
