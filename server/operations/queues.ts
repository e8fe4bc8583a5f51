import { getQueues } from '../../contract/queues.ts';
import type { Queues } from '../../contract/queues.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { route } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';

/** What waits for a time is counted so far for each urgency, and callbacks and dead letters in all. */
const countedAtMost = 100_000;
/** As plans have them; lower goes first. */
const priorities = ['otp', 'transactional', 'journey', 'campaign'] as const;

export function queueRoutes({ clock }: { readonly clock: Clock }): Route[] {
  return [route(getQueues, (tx) => readQueues(tx, clock.now()))];
}

interface Line {
  readonly channel: string;
  readonly priority: number;
  readonly waiting: number;
  readonly inFlight: number;
  readonly paused: number;
  readonly deferred: number;
  readonly oldestDueAt: Temporal.Instant | null;
}

async function readQueues(tx: Tx, now: Temporal.Instant): Promise<Queues> {
  const lines = await tx.query<Line>(
    `with batched as (
       select b.channel, b.priority, sum(b.size - b.begun) filter (where b.due_at < 'infinity') as waiting,
              sum(cardinality(b.in_flight)) as in_flight, sum(b.size - b.begun) filter (where b.due_at = 'infinity') as paused,
              min(b.due_at) filter (where b.due_at <= $2 and b.begun < b.size) as oldest
       from batch b where b.workspace_id = $1 group by 1, 2
     ), put_off as (
       select d.channel, d.priority, count(*) as deferred, min(d.due_at) filter (where d.due_at <= $2) as oldest
       from generate_series(1, 4) p cross join lateral
         (select x.channel, x.priority, x.due_at from deferral x where x.workspace_id = $1 and x.priority = p order by x.due_at limit ${countedAtMost}) d
       group by 1, 2
     )
     select channel, priority, coalesce(b.waiting, 0)::int as waiting, coalesce(b.in_flight, 0)::int as "inFlight",
            coalesce(b.paused, 0)::int as paused, coalesce(d.deferred, 0)::int as deferred, least(b.oldest, d.oldest) as "oldestDueAt"
     from batched b full join put_off d using (channel, priority) order by priority, channel`,
    [tx.workspaceId, now],
  );
  const some = (from: string) => `(select count(*)::int from (select 1 from ${from} limit ${countedAtMost}) x)`;
  const letters = (state: string) =>
    some(`dead_letter where workspace_id = $1 and state = '${state}' and discarded_at is null`);
  const [row] = await tx.query<{
    waiting: number;
    givenUp: number;
    oldest: Temporal.Instant | null;
    failed: number;
    bounced: number;
    unknown: number;
  }>(
    `select ${some(`callback where workspace_id = $1 and due_at < 'infinity'`)} as waiting,
       ${some(`callback where workspace_id = $1 and due_at = 'infinity'`)} as "givenUp",
       (select min(received_at) from callback where workspace_id = $1 and due_at < 'infinity') as oldest,
       ${letters('failed')} as failed, ${letters('bounced')} as bounced, ${letters('unknown')} as unknown`,
    [tx.workspaceId],
  );
  if (row === undefined) throw new Error('counting gave nothing');
  const { waiting, givenUp, oldest, ...deadLetters } = row;
  return {
    lines: lines.map((line) => ({
      ...line,
      channel: getQueues.response.shape.lines.element.shape.channel.parse(line.channel),
      priority: priorities[line.priority - 1] ?? 'campaign',
      oldestDueAt: line.oldestDueAt?.toString() ?? null,
    })),
    callbacks: { waiting, givenUp, oldestReceivedAt: oldest?.toString() ?? null },
    deadLetters,
    countedAtMost,
  };
}
