-- Why: the event log: news goes up through it, read in order by consumers that never skip a late commit.

-- Transaction ids start over in a cluster that a dump was restored into; events written there are of the next epoch.
create table event_epoch (
  only_one boolean primary key default true check (only_one),
  epoch integer not null,
  cluster bigint not null
);
insert into event_epoch (epoch, cluster) select 1, system_identifier from pg_control_system();

-- Called when a server starts: the epoch of this cluster, opened first if the data has come from another one.
create function parley_enter_epoch() returns integer
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  here bigint := (select system_identifier from pg_control_system());
begin
  update public.event_epoch set epoch = epoch + 1, cluster = here where cluster <> here;
  return (select epoch from public.event_epoch);
end $$;

-- No foreign key to workspace: row-level security lets only a workspace that exists write, and the check costs a third of a bulk insert.
create table event (
  workspace_id uuid not null,
  recorded_at timestamptz not null,
  id uuid not null,
  epoch integer not null,
  xid bigint not null,
  kind text not null,
  occurred_at timestamptz not null,
  contact_id uuid,
  message_id uuid,
  campaign_id uuid,
  data jsonb not null default '{}',
  -- In the order in which it is read; the time is in it because the partitions go by it.
  primary key (workspace_id, epoch, xid, id, recorded_at)
) partition by range (recorded_at);
create index event_of_contact on event (workspace_id, contact_id, id) where contact_id is not null;
select parley_isolate('event');
select parley_owner_reads('event');
comment on column event.xid is 'id of the writing transaction; consumers read (epoch, xid, id) below the oldest running one';

create table event_cursor (
  workspace_id uuid not null references workspace (id),
  consumer text not null,
  epoch integer not null,
  xid bigint not null,
  id uuid not null,
  updated_at timestamptz not null,
  primary key (workspace_id, consumer)
);
select parley_isolate('event_cursor');
select parley_owner_reads('event_cursor');

-- Which consumers have something to read, in which workspace, and since when it waits: ids and times only.
create function parley_event_news(consumers text[]) returns table (workspace_id uuid, consumer text, waiting_since timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select w.id, c.name,
    (select e.recorded_at from public.event e
     where e.workspace_id = w.id and (e.epoch, e.xid, e.id) > (coalesce(k.epoch, 0), coalesce(k.xid, 0), coalesce(k.id, '00000000-0000-0000-0000-000000000000'))
     order by e.epoch, e.xid, e.id limit 1)
  from public.workspace w
  cross join lateral (select e.epoch, e.xid, e.id from public.event e where e.workspace_id = w.id
    order by e.epoch desc, e.xid desc, e.id desc limit 1) last
  cross join unnest(consumers) c (name)
  left join public.event_cursor k on k.workspace_id = w.id and k.consumer = c.name
  where k.consumer is null or (last.epoch, last.xid, last.id) > (k.epoch, k.xid, k.id)
$$;
