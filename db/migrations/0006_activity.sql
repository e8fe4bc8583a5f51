-- Why: the event log: news goes up through it, read in order by consumers that never skip a late commit.

create table event (
  workspace_id uuid not null references workspace (id),
  recorded_at timestamptz not null,
  id uuid not null,
  xid bigint not null,
  kind text not null,
  occurred_at timestamptz not null,
  contact_id uuid,
  message_id uuid,
  campaign_id uuid,
  data jsonb not null default '{}',
  primary key (workspace_id, recorded_at, id)
) partition by range (recorded_at);
create index event_in_order on event (workspace_id, xid, id);
create index event_of_contact on event (workspace_id, contact_id, id) where contact_id is not null;
select parley_isolate('event');
comment on column event.xid is 'id of the writing transaction; consumers read (xid, id) below the oldest running one';

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
