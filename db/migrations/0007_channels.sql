-- Why: accounts at providers (or the sandbox), their sealed secrets, and the order in which a channel tries them.

create table provider_account (
  workspace_id uuid not null references workspace (id),
  id uuid not null,
  channel text not null,
  kind text not null,
  name text not null,
  settings jsonb not null,
  secrets bytea,
  limits jsonb not null default '{}',
  sender jsonb not null default '{}',
  paused_at timestamptz,
  archived_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  revision integer not null default 1,
  primary key (workspace_id, id)
);
select parley_isolate('provider_account');

create table route (
  workspace_id uuid not null references workspace (id),
  channel text not null,
  account_ids uuid[] not null,
  updated_at timestamptz not null,
  primary key (workspace_id, channel)
);
select parley_isolate('route');

-- What the sandbox caught, sealed whole. The summary (envelope and header section) stands beside it, so that a list
-- opens a small value per row and leaves the message itself in its place outside the row.
create table sandbox_message (
  workspace_id uuid not null references workspace (id),
  id uuid not null,
  channel text not null,
  vendor text not null,
  recipient_hash bytea not null,
  summary bytea not null,
  sealed bytea not null,
  size_bytes integer not null,
  received_at timestamptz not null,
  primary key (workspace_id, id)
);
-- Sealed bytes do not compress: trying would only cost.
alter table sandbox_message alter column sealed set storage external, alter column summary set storage main;
create index sandbox_message_of_recipient on sandbox_message (workspace_id, recipient_hash, id);
select parley_isolate('sandbox_message');

-- What a workspace has the sandbox do with whom; no row: by the address alone.
create table sandbox_scenario (
  workspace_id uuid primary key references workspace (id),
  scenario jsonb not null,
  updated_at timestamptz not null
);
select parley_isolate('sandbox_scenario');
