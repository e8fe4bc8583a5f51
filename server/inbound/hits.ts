import type { Activity, EventDraft } from '../activity/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { isBurst, machineReason } from './machine.rules.ts';
import type { HitFacts, LinkHit } from './machine.rules.ts';
import { readMessages } from './store.ts';
import type { MessageFacts } from './store.ts';

/** A request for a pixel or a link, before anything is known of its message. */
export interface Hit {
  readonly kind: 'open' | 'click';
  readonly messageId: string;
  /** Of a click: which link. */
  readonly n: number;
  readonly request: Omit<HitFacts, 'sinceHandOverMs'>;
}

export interface Answered {
  /** There is (still) such a message. */
  readonly known: boolean;
  /** Where a click leads; undefined when nowhere. */
  readonly destination: string | undefined;
}

export interface HitsDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly events: Pick<Activity, 'append'>;
  /** Where link `n` of a message leads for its contact now: http or https, or nowhere. */
  destinationOf(tx: Tx, message: MessageFacts, n: number): Promise<string | undefined>;
}

export interface Hits {
  /** Resolves once the event is committed. */
  take(workspaceId: string, hit: Hit): Promise<Answered>;
}

interface Waiting {
  readonly hit: Hit;
  readonly at: Temporal.Instant;
  readonly resolve: (answer: Answered) => void;
  readonly reject: (error: unknown) => void;
}

/** How long the first hit waits for company: one commit then serves them all. */
const gatherMs = 3;
const mostInBatch = 400;
const mostBatches = 2;
/** Beyond this the database is not keeping up; refusing is better than growing without end. */
const mostWaiting = 20_000;

/**
 * Group commit of opens and clicks: what arrives within a few milliseconds shares one transaction, and while
 * transactions are under way the next batch grows. So the cost of a hit falls as the load rises.
 */
export function createHits(deps: HitsDeps): Hits {
  const queues = new Map<string, Waiting[]>();
  const damper = createDamper();
  let running = 0;
  let waiting = 0;
  let timer: NodeJS.Timeout | undefined;

  const flush = () => {
    timer = undefined;
    for (const workspaceId of Array.from(queues.keys())) {
      const queue = queues.get(workspaceId);
      if (queue === undefined || running >= mostBatches) return;
      const batch = queue.splice(0, mostInBatch);
      // To the end of the line: a busy workspace does not keep the others waiting.
      queues.delete(workspaceId);
      if (queue.length > 0) queues.set(workspaceId, queue);
      running += 1;
      waiting -= batch.length;
      void settle(workspaceId, batch).finally(() => {
        running -= 1;
        if (queues.size > 0) flush();
      });
    }
  };

  const settle = async (workspaceId: string, batch: readonly Waiting[]) => {
    try {
      const answers = await deps.db.transaction(workspaceId, (tx) => write(tx, deps, damper, batch));
      batch.forEach((one, place) => one.resolve(answers[place] ?? { known: false, destination: undefined }));
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
  };

  return {
    take: (workspaceId, hit) =>
      new Promise<Answered>((resolve, reject) => {
        if (waiting >= mostWaiting) {
          reject(
            new AppError('too-many-requests', 'Too many at once; try again in a moment.', {
              headers: { 'retry-after': '2' },
            }),
          );
          return;
        }
        const queue = queues.get(workspaceId) ?? [];
        queues.set(workspaceId, queue);
        queue.push({ hit, at: deps.clock.now(), resolve, reject });
        waiting += 1;
        if (queue.length >= mostInBatch && running < mostBatches) flush();
        else timer ??= setTimeout(flush, gatherMs);
      }),
  };
}

async function write(tx: Tx, deps: HitsDeps, damper: Damper, batch: readonly Waiting[]): Promise<Answered[]> {
  const messages = await readMessages(tx, [...new Set(batch.map(({ hit }) => hit.messageId))]);
  const taken = batch.filter(({ hit, at }) => messages.has(hit.messageId) && damper.take(hit, at.epochMilliseconds));
  const drafts = taken.flatMap((one) => {
    const message = messages.get(one.hit.messageId);
    return message === undefined ? [] : [draftOf(one, message, damper.clicksOf(message.id))];
  });
  const answers: Answered[] = [];
  for (const { hit } of batch) {
    const message = messages.get(hit.messageId);
    const leads = message !== undefined && hit.kind === 'click';
    answers.push({
      known: message !== undefined,
      destination: leads ? await deps.destinationOf(tx, message, hit.n) : undefined,
    });
  }
  await deps.events.append(tx, drafts);
  return answers;
}

function draftOf({ hit, at }: Waiting, message: MessageFacts, clicks: readonly LinkHit[]): EventDraft {
  const handedOverMs = message.handedOverAt?.epochMilliseconds;
  const sinceHandOverMs = handedOverMs === undefined ? undefined : at.epochMilliseconds - handedOverMs;
  const burst = hit.kind === 'click' && isBurst(clicks, handedOverMs) ? 'burst' : undefined;
  const machine = machineReason(hit.kind, { ...hit.request, sinceHandOverMs }) ?? burst;
  return {
    kind: hit.kind === 'open' ? 'message.opened' : 'message.clicked',
    occurredAt: at,
    contactId: message.contactId,
    messageId: message.id,
    campaignId: message.campaignId ?? undefined,
    data: { ...(hit.kind === 'click' ? { link: hit.n } : {}), ...(machine === undefined ? {} : { machine }) },
  };
}

interface Damper {
  /** Whether the hit is worth an event. */
  take(hit: Hit, atMs: number): boolean;
  /** The clicks on a message within the last seconds. */
  clicksOf(messageId: string): readonly LinkHit[];
}

const windowMs = 60_000;
const mostInWindow = 30;
const burstWindowMs = 2000;
const mostRemembered = 20_000;

/**
 * Whoever holds a link can fetch it without end; after some dozens in a minute, more of the same tell nothing new and
 * are answered without an event. Kept in memory and bounded: it only ever saves work.
 */
function createDamper(): Damper {
  const seen = new Map<string, { startMs: number; count: number; clicks: LinkHit[] }>();
  return {
    take: (hit, atMs) => {
      let one = seen.get(hit.messageId);
      if (one === undefined || atMs - one.startMs > windowMs) {
        one = { startMs: atMs, count: 0, clicks: [] };
        seen.delete(hit.messageId);
        seen.set(hit.messageId, one);
        const [oldest] = seen.keys();
        if (seen.size > mostRemembered && oldest !== undefined) seen.delete(oldest);
      }
      one.count += 1;
      if (hit.kind === 'click')
        one.clicks = [...one.clicks.filter((click) => atMs - click.atMs < burstWindowMs), { n: hit.n, atMs }];
      return one.count <= mostInWindow;
    },
    clicksOf: (messageId) => seen.get(messageId)?.clicks ?? [],
  };
}
