import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { createActivity } from '../activity/index.ts';
import type { Activity } from '../activity/index.ts';
import type { ReadinessItem } from '../channels/index.ts';
import { createConsent } from '../consent/index.ts';
import { createDelivery } from '../delivery/index.ts';
import type { Delivery, Limits } from '../delivery/index.ts';
import { createDeliveryBench } from '../delivery/testing.ts';
import type { DeliveryBench } from '../delivery/testing.ts';
import { newId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { createTestApp, createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createTemplates } from '../templates/index.ts';
import type { Templates } from '../templates/index.ts';
import { campaignRoutes, createCampaigns } from './index.ts';
import type { Campaigns } from './index.ts';
import { planNextPage, planQueue } from './planning.ts';
import type { AuditEntry } from './routes.ts';

/** Campaigns on the real ledger, templates, topics and event log, with a provider whose answers the test gives. */
export interface CampaignBench {
  readonly campaigns: Campaigns;
  readonly delivery: Delivery;
  readonly templates: Templates;
  readonly activity: Activity;
  /** Its people agreed to the topic `topicKey`. */
  readonly ledger: DeliveryBench;
  readonly topicKey: string;
  /** Jobs that were enqueued, in order. */
  readonly jobs: { queue: string; data: { workspaceId: string; campaignId: string } }[];
  readonly told: string[];
  account: { limits: Limits | undefined; problems: ReadinessItem[] };
  /** Runs enqueued planning, at most so many pages; answers whether it is finished. */
  plan(campaignId: string, pages?: number, scan?: number): Promise<boolean>;
  /** Hands over what is due and lets the event log's consumers read. */
  settle(): Promise<void>;
  template(changes?: Partial<Parameters<Templates['create']>[1]>): Promise<string>;
  close(): Promise<void>;
}

export async function createCampaignBench(test: TestDb): Promise<CampaignBench> {
  const ledger = await createDeliveryBench(test);
  const activity = createActivity({ db: test.db, clock: test.clock, log: silentLog });
  const delivery = createDelivery({ ...ledger.deps, events: activity });
  const templates = createTemplates({ clock: test.clock });
  const { topics } = createConsent({ clock: test.clock, vault: test.vault, events: activity });
  const bench = {
    jobs: [] as CampaignBench['jobs'],
    told: [] as string[],
    account: { limits: {} as Limits | undefined, problems: [] as ReadinessItem[] },
  };
  const campaigns = createCampaigns({
    db: test.db,
    hot: test.pinned,
    clock: test.clock,
    log: silentLog,
    delivery,
    templates,
    objections: () => Promise.resolve(undefined),
    topics,
    events: activity,
    jobs: {
      define: () => undefined,
      every: () => undefined,
      enqueue: (_tx, queue, data) => Promise.resolve(void bench.jobs.push({ queue, data: data as never })),
    },
    laneLimits: () => Promise.resolve(bench.account.limits),
    accountProblems: () => Promise.resolve(bench.account.problems),
    accountReadiness: () => Promise.resolve(bench.account.problems),
    tell: (_workspace, id) => bench.told.push(id),
  });
  const plan = async (campaignId: string, pages = 1_000, scan?: number) => {
    for (let page = 0; page < pages; page += 1) {
      const outcome = await test.pinned.transaction(test.workspaceId, (tx) =>
        planNextPage(tx, campaigns.deps, campaignId, scan),
      );
      if (outcome !== 'more') return true;
    }
    return false;
  };
  return Object.assign(bench, {
    campaigns,
    delivery,
    templates,
    objections: () => Promise.resolve(undefined),
    activity,
    ledger,
    topicKey: `news-${ledger.topicId}`,
    plan,
    settle: async () => {
      for (const job of bench.jobs.splice(0)) if (job.queue === planQueue) await plan(job.data.campaignId);
      await delivery.worker.drain();
      await activity.drain(test.workspaceId);
    },
    template: async (changes: Partial<Parameters<Templates['create']>[1]> = {}) => {
      const id = newId(test.clock);
      const source = {
        channel: 'email' as const,
        subject: 'Hi',
        preheader: null,
        mjml: null,
        html: '<p>Hi</p>',
        text: null,
      };
      const given = {
        id,
        name: 'Hello',
        category: 'marketing' as const,
        locale: 'en',
        source,
        ...changes,
      };
      await test.write((tx) => templates.create(tx, given, { kind: 'system', id: null, name: 'Test' }));
      return id;
    },
    close: () => templates.close(),
  });
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** A workspace, bench and HTTP shell of its own for each test of the file. */
export function useCampaigns() {
  let app: FastifyInstance;
  const lab = {
    db: undefined as unknown as TestDb,
    bench: undefined as unknown as CampaignBench,
    audited: [] as AuditEntry[],
    call: async (method: Method, url: string, body?: object, headers: Record<string, string> = {}) => {
      const answer = await app.inject({
        method,
        url: `/api/v1${url}`,
        headers: { authorization: 'test', ...headers },
        ...(body === undefined ? {} : { payload: body }),
      });
      return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
    },
    draft: async (changes: object = {}) => {
      const templateId = 'templateId' in changes ? undefined : await lab.bench.template();
      const given = {
        name: 'March',
        channels: ['email'],
        templateId,
        topic: lab.bench.topicKey,
        audience: { all: true },
      };
      const made = await lab.call('POST', '/campaigns', { ...given, ...changes });
      expect(made.body).toMatchObject({ status: 'draft' });
      return made.body;
    },
    stats: async (id: string) => (await lab.call('GET', `/campaigns/${id}/stats`)).body,
  };
  let database: TestDb;
  beforeAll(async () => {
    database = await createTestDb();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    lab.db = await inWorkspaceOfItsOwn(database);
    lab.bench = await createCampaignBench(lab.db);
    lab.audited = [];
    const audit = { record: (_tx: unknown, entry: AuditEntry) => Promise.resolve(lab.audited.push(entry)) };
    app = await createTestApp(lab.db, campaignRoutes({ campaigns: lab.bench.campaigns.deps, audit }));
  });
  afterEach(async () => {
    await app.close();
    await lab.bench.close();
  });
  return lab;
}
