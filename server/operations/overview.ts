import { getOverview } from '../../contract/overview.ts';
import type { Overview } from '../../contract/overview.ts';
import type { Campaign } from '../../contract/campaigns.ts';
import type { Permission } from '../../contract/permissions.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { route } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';

export interface OverviewDeps {
  readonly clock: Clock;
  recentCampaigns(tx: Tx, most: number): Promise<Campaign[]>;
}

const countedDays = 30;
/** Counting stops here: the overview says "1,000,000+" rather than reading everything at every visit. */
const countedAtMost = 1_000_000;

interface Facts {
  readonly contacts: number;
  readonly consented: number;
  readonly templates: number;
  readonly campaigns: number;
  readonly topics: number;
  readonly started: boolean;
  readonly arrived: boolean;
  readonly postal: boolean;
  readonly connected: boolean;
  readonly nearLimit: boolean;
}

/** How things stand. What the caller may not read is null; the steps say only whether something is there. */
export function overviewRoutes(deps: OverviewDeps): Route[] {
  return [
    route(getOverview, async (tx, call) => {
      const may = (permission: Permission) => call.caller.permissions.has(permission);
      const facts = await readFacts(tx, deps.clock.now());
      return {
        counts: {
          contacts: may('contacts:read') ? facts.contacts : null,
          consented: may('consent:read') ? facts.consented : null,
          templates: may('templates:read') ? facts.templates : null,
          campaigns: may('campaigns:read') ? facts.campaigns : null,
        },
        messages: may('messages:read')
          ? await readMessages(tx, deps.clock.now().subtract({ hours: 24 * countedDays }))
          : null,
        nextSteps: stepsOf(facts),
        recentCampaigns: may('campaigns:read') ? await deps.recentCampaigns(tx, 5) : [],
      };
    }),
  ];
}

function stepsOf(facts: Facts): Overview['nextSteps'] {
  return [
    { key: 'create-topic', done: facts.topics > 0 },
    { key: 'import-contacts', done: facts.contacts > 0 },
    { key: 'write-template', done: facts.templates > 0 },
    { key: 'send-campaign', done: facts.started },
    { key: 'see-it-arrive', done: facts.arrived },
    { key: 'postal-address', done: facts.postal },
    { key: 'connect-account', done: facts.connected },
    ...(facts.nearLimit ? [{ key: 'watch-limits' as const, done: false }] : []),
  ];
}

async function readFacts(tx: Tx, now: Temporal.Instant): Promise<Facts> {
  const count = (from: string) => `(select count(*)::int from (select 1 from ${from} limit ${countedAtMost}) x)`;
  const [row] = await tx.query<Facts>(
    `select ${count('contact where workspace_id = $1 and erased_at is null')} as contacts,
       (select count(*)::int from (select distinct address_id from consent where workspace_id = $1 and state = 'granted' limit ${countedAtMost}) x) as consented,
       ${count('template where workspace_id = $1 and archived_at is null')} as templates,
       ${count('campaign where workspace_id = $1')} as campaigns,
       ${count('topic where workspace_id = $1 and archived_at is null')} as topics,
       exists (select 1 from campaign where workspace_id = $1 and started_at is not null) as started,
       exists (select 1 from sandbox_message where workspace_id = $1) as arrived,
       coalesce((select settings->>'postalAddress' from workspace where id = $1), '') <> '' as postal,
       exists (select 1 from provider_account where workspace_id = $1 and kind <> 'sandbox' and archived_at is null
         and coalesce(settings->>'baseUrl', '') not like 'http://sandbox.localhost/%') as connected,
       exists (select 1 from lane_alert where workspace_id = $1
         and at > $2::timestamptz - case kind when 'hour' then interval '1 hour' else interval '1 day' end) as "nearLimit"`,
    [tx.workspaceId, now],
  );
  if (row === undefined) throw new Error('counting gave nothing');
  return row;
}

async function readMessages(tx: Tx, since: Temporal.Instant): Promise<NonNullable<Overview['messages']>> {
  const sum = (column: string) => `coalesce(sum(c.${column}), 0)::int`;
  const [row] = await tx.query<NonNullable<Overview['messages']>>(
    `select ${sum('planned + c.held + c.suppressed + c.accepted + c.failed + c.unknown + c.cancelled + c.expired')} as planned,
       ${['accepted', 'opened', 'clicked', 'suppressed', 'failed', 'unknown'].map((one) => `${sum(one)} as ${one}`).join(', ')}
     from plan p join plan_count c on c.workspace_id = p.workspace_id and c.plan_id = p.id
     where p.workspace_id = $1 and p.created_at >= $2`,
    [tx.workspaceId, since],
  );
  if (row === undefined) throw new Error('counting gave nothing');
  return row;
}
