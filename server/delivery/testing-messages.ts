import type { FastifyInstance } from 'fastify';
import type { Message, MessageSummary } from '../../contract/messages.ts';
import { createActivity } from '../activity/index.ts';
import { createChannels } from '../channels/index.ts';
import type { Channels } from '../channels/index.ts';
import { providerDeps } from '../channels/testing.ts';
import { silentLog } from '../platform/log.ts';
import { createTestApp } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createDelivery, deliveryRoutes } from './index.ts';
import type { PlanStats } from './index.ts';
import type { PlanRow } from './plan.store.ts';
import type { AuditDraft, LetterWork, MessageDeps } from './ports.ts';
import { createDeliveryBench } from './testing.ts';
import type { DeliveryBench } from './testing.ts';

/** What people do to messages and lanes, over HTTP, on real accounts and the real event log; the wire is the bench's. */
export interface MessagesLab {
  readonly bench: DeliveryBench;
  readonly channels: Channels;
  /** The account that the channel's route begins with; its id is the lane's. */
  readonly accountId: string;
  readonly audited: AuditDraft[];
  /** What was left to the background. */
  readonly later: LetterWork[];
  /** How often the dispatcher was woken. */
  readonly woken: { times: number };
  ask<T = Message>(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: object,
    authorization?: string,
  ): Promise<{ status: number; body: T }>;
  /** A campaign's plan with a template that people can see the name of, to this many people who agreed. */
  campaign(people: number | Parameters<DeliveryBench['plan']>[0]): Promise<PlanRow>;
  /** Messages of a plan, the oldest first. */
  messages(plan: PlanRow, query?: string): Promise<MessageSummary[]>;
  stats(plan: PlanRow): Promise<PlanStats>;
  drain(): Promise<void>;
  close(): Promise<void>;
}

const unused = () => Promise.reject(new Error('not part of this test'));

export async function createMessagesLab(test: TestDb): Promise<MessagesLab> {
  const bench = await createDeliveryBench(test);
  const activity = createActivity({ db: test.db, clock: test.clock, log: silentLog });
  const channels = createChannels({ ...providerDeps(test.clock), vault: test.vault, sandbox: () => undefined });
  const accountId = await test.write((tx) => channels.createSandboxAccount(tx));
  const [fake] = await test.read((tx) => bench.deps.accountsFor(tx, 'email', undefined));
  if (fake === undefined) throw new Error('the bench has no account');
  const deps = {
    ...bench.deps,
    events: activity,
    accountsFor: async (...asked: Parameters<MessageDeps['accountsFor']>) =>
      (await channels.accountsFor(...asked)).map((account) => ({ ...account, sender: fake.sender })),
  };
  const delivery = createDelivery(deps);
  // What plans through the bench announces to the same event log.
  Object.assign(bench, { deps, delivery });
  const audited: AuditDraft[] = [];
  const later: LetterWork[] = [];
  const woken = { times: 0 };
  const messages: Omit<MessageDeps, 'record'> = {
    ...deps,
    maskAddress: (kind, value) => `${kind} …${value.slice(-12)}`,
    accountNames: async (tx) => new Map((await channels.listAccounts(tx)).map((row) => [row.id, row.name])),
    campaignNames: async (_tx, ids) => new Map(ids.map((id) => [id, `Campaign ${id.slice(-4)}`])),
    laneAccounts: (tx) => channels.listAccounts(tx),
    setAccountPaused: channels.setPaused,
    setAccountLimits: channels.setLimits,
    meaningOf: (kind, code) => (code === null ? null : `${kind} says ${code}`),
    findAddress: async (tx, { value, kind }) => {
      const { hash } = (await test.vault.keys(tx)).blindIndex(kind, value);
      const [row] = await tx.query<{ contactId: string; addressId: string }>(
        'select contact_id as "contactId", id as "addressId" from address where workspace_id = $1 and hash = $2',
        [tx.workspaceId, hash],
      );
      return row;
    },
    goOn: async (_tx, work) => void later.push(work),
  };
  const app: FastifyInstance = await createTestApp(
    test,
    deliveryRoutes({
      messages,
      sending: { addressReader: unused, topicsOf: unused, templatesOf: unused, obtainContacts: unused },
      record: async (_tx, _by, entry) => void audited.push(entry),
      wake: () => void (woken.times += 1),
      shard: () => 40,
    }),
  );
  const ask: MessagesLab['ask'] = async <T>(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: object,
    authorization = 'test',
  ) => {
    const answer = await app.inject({
      method,
      url: `/api/v1${path}`,
      headers: { authorization, 'x-workspace': test.workspaceId },
      ...(body === undefined ? {} : { payload: body }),
    });
    return { status: answer.statusCode, body: answer.json<T>() };
  };
  return {
    bench,
    channels,
    accountId,
    audited,
    later,
    woken,
    ask,
    campaign: async (people) => {
      const plan = await bench.plan(typeof people === 'number' ? await bench.people(people) : people);
      await test.write((tx) =>
        tx.query(
          "insert into template (workspace_id, id, name, channel, category, locale, current_version, created_at, updated_at) values ($1, $2, 'Spring letter', 'email', 'marketing', 'en', 1, now(), now())",
          [tx.workspaceId, plan.templateId],
        ),
      );
      return plan;
    },
    messages: async (plan, query = '') =>
      (
        await ask<{ data: MessageSummary[] }>('GET', `/messages?limit=200&campaignId=${plan.sourceId}${query}`)
      ).body.data.toReversed(),
    stats: async (plan) => {
      const found = (await test.read((tx) => delivery.planStats(tx, [plan.id]))).get(plan.id);
      if (found === undefined) throw new Error('no stats');
      return found;
    },
    drain: () => delivery.worker.drain(),
    close: async () => {
      // The dispatcher looks after every workspace: what one test left waiting must not reach the next one's provider.
      await test.write((tx) => tx.query('delete from batch where workspace_id = $1', [tx.workspaceId]));
      await test.write((tx) => tx.query('delete from deferral where workspace_id = $1', [tx.workspaceId]));
      await app.close();
      await channels.close();
    },
  };
}
