-- Why: limits that hold in every sliding window, breakers, turns between workspaces, and the next channel when one does not reach.

alter table lane add column probe_until timestamptz;
comment on column lane.failures is 'in a row; above 0 and past cool_until the lane is half open: one message at a time tries it';
comment on column lane.probe_until is 'a message is trying the lane; nobody else does until then';

-- What went out, counted by the minute (of the time when it was surely over): the limits of an hour and a day.
create table lane_minute (
  workspace_id uuid not null references workspace (id),
  account_id uuid not null,
  minute timestamptz not null,
  used integer not null,
  primary key (workspace_id, account_id, minute)
);
select parley_isolate('lane_minute');

-- Allowances of an hour or a day that a claim holds: counted as used until it says how many were.
create table lane_lease (
  workspace_id uuid not null references workspace (id),
  batch_id uuid not null,
  account_id uuid not null,
  position integer not null,
  tokens integer not null,
  primary key (workspace_id, batch_id)
);
create index lane_lease_of_account on lane_lease (workspace_id, account_id);
select parley_isolate('lane_lease');
comment on column lane_lease.position is 'where the batch stood: who finds the claim dead knows by it how many may have left';

-- The pace per domain and per sender of an account: when the next may go, and where those end that were put off.
create table lane_key (
  workspace_id uuid not null references workspace (id),
  account_id uuid not null,
  key text not null,
  next_at timestamptz not null,
  tail_at timestamptz not null,
  primary key (workspace_id, account_id, key)
);
select parley_isolate('lane_key');

-- Who is being written to through an account that limits messages per person: also what is not settled yet counts.
create table recipient_mark (
  workspace_id uuid not null references workspace (id),
  account_id uuid not null,
  contact_id uuid not null,
  message_id uuid not null,
  at timestamptz not null,
  primary key (workspace_id, account_id, contact_id, message_id)
);
select parley_isolate('recipient_mark');

-- When a limit was last near or reached: told once a period.
create table lane_alert (
  workspace_id uuid not null references workspace (id),
  account_id uuid not null,
  kind text not null,
  level text not null,
  at timestamptz not null,
  primary key (workspace_id, account_id, kind, level)
);
select parley_isolate('lane_alert');

alter table plan drop constraint plan_source_check;
alter table plan add constraint plan_source_check check (source in ('campaign', 'api', 'test', 'fallback'));
alter table plan add column fallback jsonb not null default '[]';
alter table plan add column follows uuid;
create unique index plan_follows on plan (workspace_id, follows) where follows is not null;
comment on column plan.fallback is 'the next channels, in order, for whom this one does not reach in time';
comment on column plan.follows is 'the plan whose messages did not reach: this one goes on with its next channel';

alter table campaign add column fallback jsonb not null default '[]';
comment on column campaign.fallback is 'which channel and template take over for whom it does not reach, in order';

-- Messages of plans with a fallback: when to see whether they reached their person.
create table fallback_check (
  workspace_id uuid not null references workspace (id),
  message_id uuid not null,
  plan_month date not null,
  plan_id uuid not null,
  priority smallint not null,
  due_at timestamptz not null,
  primary key (workspace_id, message_id)
);
create index fallback_check_turn on fallback_check (workspace_id, priority, due_at);
create index fallback_check_soonest on fallback_check (due_at);
select parley_isolate('fallback_check');
select parley_owner_reads('fallback_check');

-- Turns are looked up as (workspace, priority) and taken in order of time.
drop index batch_due;
create index batch_turn on batch (workspace_id, priority, due_at, id);
create index batch_soonest on batch (due_at);
drop index deferral_due;
create index deferral_turn on deferral (workspace_id, priority, due_at);

-- Where there is something to hand over, across workspaces: ids, weights and what it is. A hop a workspace and priority,
-- however many batches wait there.
drop function parley_due_work(timestamptz, integer);
create function parley_due_work(at timestamptz, after uuid, most integer)
returns table (workspace_id uuid, priority smallint, weight double precision, batches boolean, deferrals boolean, fallbacks boolean)
language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
  return query
  with recursive b (w, p) as (
    (select x.workspace_id, x.priority from public.batch x where x.workspace_id > after order by 1, 2 limit 1)
    union all
    select n.workspace_id, n.priority from b cross join lateral
      (select x.workspace_id, x.priority from public.batch x where (x.workspace_id, x.priority) > (b.w, b.p) order by 1, 2 limit 1) n
  ), d (w, p) as (
    (select x.workspace_id, x.priority from public.deferral x where x.workspace_id > after order by 1, 2 limit 1)
    union all
    select n.workspace_id, n.priority from d cross join lateral
      (select x.workspace_id, x.priority from public.deferral x where (x.workspace_id, x.priority) > (d.w, d.p) order by 1, 2 limit 1) n
  ), f (w, p) as (
    (select x.workspace_id, x.priority from public.fallback_check x where x.workspace_id > after order by 1, 2 limit 1)
    union all
    select n.workspace_id, n.priority from f cross join lateral
      (select x.workspace_id, x.priority from public.fallback_check x where (x.workspace_id, x.priority) > (f.w, f.p) order by 1, 2 limit 1) n
  ), due (w, p, kind) as (
    (select b.w, b.p, 1 from b where exists (select 1 from public.batch x
       where x.workspace_id = b.w and x.priority = b.p and x.due_at <= at and (x.lease_until is null or x.lease_until <= at)) limit most)
    union all
    (select d.w, d.p, 2 from d where exists (select 1 from public.deferral x where x.workspace_id = d.w and x.priority = d.p and x.due_at <= at) limit most)
    union all
    (select f.w, f.p, 3 from f where exists (select 1 from public.fallback_check x where x.workspace_id = f.w and x.priority = f.p and x.due_at <= at) limit most)
  ), turn (w, p, has_batches, has_deferrals, has_fallbacks) as (
    select due.w, due.p, bool_or(due.kind = 1), bool_or(due.kind = 2), bool_or(due.kind = 3) from due group by due.w, due.p
  )
  select turn.w, turn.p, coalesce((ws.settings ->> 'sendWeight')::double precision, 1), turn.has_batches, turn.has_deferrals, turn.has_fallbacks
  from turn join public.workspace ws on ws.id = turn.w order by 1, 2 limit most;
end $$;

-- When the next work comes due anywhere. A lease is given up when its time is over; only what is due can be leased.
drop function parley_next_due();
create function parley_next_due(at timestamptz) returns timestamptz
language sql stable security definer set search_path = pg_catalog, public as $$
  select least(
    (select x.due_at from public.batch x where x.lease_until is null order by x.due_at limit 1),
    (select min(greatest(x.due_at, x.lease_until)) from public.batch x where x.due_at <= at and x.lease_until is not null),
    (select min(x.due_at) from public.deferral x),
    (select min(x.due_at) from public.fallback_check x))
$$;
