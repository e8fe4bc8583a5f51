-- Why: the send ledger: one row per intended message, handed over in batches whose claims are fenced.

create table plan (
  workspace_id uuid not null references workspace (id),
  id uuid not null,
  month date not null,
  source text not null check (source in ('campaign', 'api', 'test')),
  source_id uuid,
  digest bytea,
  channel text not null,
  category text not null,
  topic_id uuid,
  template_id uuid not null,
  template_version integer not null,
  sender jsonb not null default '{}',
  priority smallint not null,
  state text not null default 'open' check (state in ('open', 'paused', 'cancelled')),
  complete boolean not null default false,
  created_at timestamptz not null,
  expires_at timestamptz,
  primary key (workspace_id, id)
);
create unique index plan_digest on plan (workspace_id, month, digest) where digest is not null;
select parley_isolate('plan');
comment on column plan.complete is 'every page has been planned; no more messages will join';
comment on column plan.priority is '1 one-time codes, 2 transactional, 3 journeys, 4 campaigns; lower goes first';

create table message (
  workspace_id uuid not null references workspace (id),
  plan_month date not null,
  id uuid not null,
  plan_id uuid not null,
  recipient_key uuid not null,
  contact_id uuid not null,
  address_id uuid,
  channel text not null,
  state text not null check (state in ('planned', 'held', 'suppressed', 'accepted', 'delivered', 'bounced', 'complained', 'failed', 'unknown', 'cancelled', 'expired')),
  reason text,
  attempt smallint not null default 0,
  account_id uuid,
  provider_ref text,
  not_before timestamptz,
  variables jsonb,
  planned_at timestamptz not null,
  settled_at timestamptz,
  -- The id before the month: a message is found by its id alone, and ids rise with time.
  primary key (workspace_id, id, plan_month)
) partition by range (plan_month);
create unique index message_once on message (workspace_id, plan_month, plan_id, recipient_key);
create index message_of_contact on message (workspace_id, contact_id, id);
select parley_isolate('message');
comment on column message.recipient_key is 'with the plan, the dedupe key: the contact in a campaign, the id minted for the caller''s idempotency key in the API';

-- The unit of claiming: which messages, in which order, how far the hand-over has begun, and who holds it.
create table batch (
  workspace_id uuid not null references workspace (id),
  id uuid not null,
  plan_id uuid not null,
  plan_month date not null,
  channel text not null,
  priority smallint not null,
  message_ids uuid[] not null,
  size integer not null,
  begun integer not null default 0,
  in_flight uuid[] not null default '{}',
  due_at timestamptz not null,
  fence bigint not null default 0,
  lease_until timestamptz,
  worker text,
  primary key (workspace_id, id)
);
create index batch_due on batch (due_at, priority);
create index batch_of_plan on batch (workspace_id, plan_id);
select parley_isolate('batch');
select parley_owner_reads('batch');
comment on column batch.begun is 'messages at positions below this may have reached the wire: committed before the first byte leaves';
comment on column batch.in_flight is 'the begun ones without an outcome yet (at most a window): in doubt should the worker die';

-- Messages that wait for a time (held, or to be tried again); when due they are gathered into a new batch.
create table deferral (
  workspace_id uuid not null references workspace (id),
  message_id uuid not null,
  plan_month date not null,
  plan_id uuid not null,
  channel text not null,
  priority smallint not null,
  due_at timestamptz not null,
  primary key (workspace_id, message_id)
);
create index deferral_due on deferral (workspace_id, due_at);
create index deferral_soonest on deferral (due_at);
create index deferral_of_plan on deferral (workspace_id, plan_id);
select parley_isolate('deferral');
select parley_owner_reads('deferral');

-- Counts per plan, moved in the transaction that moves the messages; sharded by worker so that workers do not queue on one row.
create table plan_count (
  workspace_id uuid not null references workspace (id),
  plan_id uuid not null,
  shard smallint not null,
  planned integer not null default 0,
  held integer not null default 0,
  suppressed integer not null default 0,
  accepted integer not null default 0,
  failed integer not null default 0,
  unknown integer not null default 0,
  cancelled integer not null default 0,
  expired integer not null default 0,
  delivered integer not null default 0,
  bounced integer not null default 0,
  complained integer not null default 0,
  opened integer not null default 0,
  clicked integer not null default 0,
  unsubscribed integer not null default 0,
  machine_opened integer not null default 0,
  primary key (workspace_id, plan_id, shard)
);
select parley_isolate('plan_count');

create table plan_reason_count (
  workspace_id uuid not null references workspace (id),
  plan_id uuid not null,
  shard smallint not null,
  state text not null,
  reason text not null,
  count integer not null,
  primary key (workspace_id, plan_id, shard, state, reason)
);
select parley_isolate('plan_reason_count');

create table engagement (
  workspace_id uuid not null references workspace (id),
  plan_month date not null,
  message_id uuid not null,
  plan_id uuid not null,
  opened_at timestamptz,
  clicked_at timestamptz,
  unsubscribed_at timestamptz,
  machine_opened_at timestamptz,
  opens integer not null default 0,
  clicks integer not null default 0,
  primary key (workspace_id, plan_month, message_id)
) partition by range (plan_month);
select parley_isolate('engagement');

-- A lane is one account on one channel: when its next message may go (persisted, so that a restart frees nothing), and until when it cools down.
create table lane (
  workspace_id uuid not null references workspace (id),
  account_id uuid not null,
  next_at timestamptz not null,
  cool_until timestamptz,
  cool_reason text,
  failures integer not null default 0,
  primary key (workspace_id, account_id)
);
select parley_isolate('lane');

-- What came of an account's messages, hour by hour: how it does, at a glance.
create table lane_hour (
  workspace_id uuid not null references workspace (id),
  account_id uuid not null,
  hour timestamptz not null,
  shard smallint not null,
  accepted integer not null default 0,
  failed integer not null default 0,
  unknown integer not null default 0,
  last_accepted_at timestamptz,
  last_failure_at timestamptz,
  last_failure text,
  primary key (workspace_id, account_id, hour, shard)
);
select parley_isolate('lane_hour');

-- Where there is something to hand over, across workspaces: ids and times only.
create function parley_due_work(at timestamptz, most integer) returns table (workspace_id uuid, priority smallint)
language sql stable security definer set search_path = pg_catalog, public as $$
  select b.workspace_id, min(b.priority)::smallint from
    (select q.workspace_id, q.priority from public.batch q where q.due_at <= at and (q.lease_until is null or q.lease_until <= at)
     union all
     select d.workspace_id, d.priority from public.deferral d where d.due_at <= at) b
  group by b.workspace_id order by min(b.priority) limit most
$$;
create function parley_next_due() returns timestamptz
language sql stable security definer set search_path = pg_catalog, public as $$
  select least((select min(greatest(b.due_at, coalesce(b.lease_until, b.due_at))) from public.batch b), (select min(d.due_at) from public.deferral d))
$$;
