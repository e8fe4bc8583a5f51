-- Why: may we write to this address, on which channel, about what; and the proof of it.

create table topic (
  workspace_id uuid not null references workspace (id),
  id uuid not null,
  key text not null,
  name text not null,
  description text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  archived_at timestamptz,
  revision integer not null default 1,
  primary key (workspace_id, id),
  unique (workspace_id, key)
);
select parley_isolate('topic');

-- Append-only (by privilege) and hash-chained; personal evidence is sealed under the contact's key and the chain covers the sealed form.
-- No foreign key to workspace: row-level security lets only a workspace that exists write, and the check costs a third of a bulk insert.
create table consent_event (
  workspace_id uuid not null,
  seq bigint not null,
  id uuid not null,
  contact_id uuid not null,
  address_id uuid not null,
  channel text not null,
  topic_id uuid not null,
  action text not null check (action in ('grant', 'withdraw', 'confirm', 'expire')),
  basis text not null check (basis in ('consent', 'contract', 'legitimate-interest')),
  source text not null,
  evidence bytea not null,
  actor text not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  mac bytea not null,
  primary key (workspace_id, seq)
);
create index consent_event_of_address on consent_event (workspace_id, address_id, seq);
select parley_isolate('consent_event');

-- The head of the chain, kept apart from it and signed itself, so that a cut-off tail is found.
create table consent_head (
  workspace_id uuid primary key references workspace (id),
  seq bigint not null,
  mac bytea not null,
  seal bytea not null
);
select parley_isolate('consent_head');

-- Projection of the ledger: what counts now.
create table consent (
  workspace_id uuid not null,
  address_id uuid not null,
  channel text not null,
  topic_id uuid not null,
  state text not null check (state in ('granted', 'withdrawn', 'expired')),
  basis text not null,
  source text not null,
  since timestamptz not null,
  event_seq bigint not null,
  event_id uuid not null,
  primary key (workspace_id, address_id, channel, topic_id)
);
create index consent_of_topic on consent (workspace_id, topic_id, channel, address_id);
select parley_isolate('consent');
comment on column consent.since is 'when the person said what counts now';
comment on column consent.source is 'an import is the weakest: anything a person said goes before it';

create table suppression (
  workspace_id uuid not null references workspace (id),
  kind text not null check (kind in ('email', 'phone', 'push')),
  hash bytea not null,
  hash_version integer not null,
  channel text not null default '',
  reason text not null check (reason in ('bounce', 'complaint', 'opt-out', 'manual', 'erased')),
  created_at timestamptz not null,
  primary key (workspace_id, kind, hash_version, hash, channel)
);
comment on column suppression.channel is 'empty: nothing is sent to the address on any channel; else on that one only (a number without WhatsApp still gets texts)';
create index suppression_newest on suppression (workspace_id, created_at desc, kind, hash_version, hash);
select parley_isolate('suppression');
