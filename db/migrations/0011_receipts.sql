-- Why: what vendors tell about messages: kept as it came before it is answered, read in bulk afterwards.

-- A genuine callback, whole: it may be read again after an error. Personal data is in it, so it is sealed.
create table callback (
  workspace_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  provider text not null,
  sealed bytea not null,
  received_at timestamptz not null,
  due_at timestamptz not null,
  tries smallint not null default 0,
  primary key (workspace_id, id)
);
alter table callback alter column sealed set storage external;
create index callback_due on callback (workspace_id, due_at, id);
select parley_isolate('callback');
select parley_owner_reads('callback');
comment on column callback.due_at is 'when it is to be read; infinity: given up, kept for a person to look at';

-- Each fact and each nonce of an account once. Kept for as long as vendors repeat themselves.
create table callback_mark (
  workspace_id uuid not null,
  account_id uuid not null,
  mark bytea not null,
  seen_at timestamptz not null,
  primary key (workspace_id, account_id, mark)
);
create index callback_mark_old on callback_mark (workspace_id, seen_at);
select parley_isolate('callback_mark');
comment on column callback_mark.mark is 'first 16 bytes of SHA-256 over the kind of mark and the vendor''s key';

-- The vendor's id of a message, for vendors that do not carry ours back.
create table message_ref (
  workspace_id uuid not null,
  account_id uuid not null,
  ref text not null,
  message_id uuid not null,
  created_at timestamptz not null,
  primary key (workspace_id, account_id, ref)
);
create index message_ref_old on message_ref (workspace_id, created_at);
select parley_isolate('message_ref');

-- What people write to us.
create table inbound_message (
  workspace_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  channel text not null,
  contact_id uuid,
  address_id uuid,
  sender_hash bytea not null,
  sealed bytea not null,
  in_reply_to uuid,
  automatic boolean not null default false,
  keyword text,
  written_at timestamptz not null,
  received_at timestamptz not null,
  primary key (workspace_id, id)
);
create index inbound_message_of_contact on inbound_message (workspace_id, contact_id, id) where contact_id is not null;
create index inbound_message_of_sender on inbound_message (workspace_id, sender_hash, id);
select parley_isolate('inbound_message');

-- Where callbacks wait, across workspaces, and since or until when: one look into the index a workspace, however many wait.
create function parley_callback_work(most integer) returns table (workspace_id uuid, due_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  with recursive first as (
    (select c.workspace_id, c.due_at from public.callback c order by c.workspace_id, c.due_at limit 1)
    union all
    select n.workspace_id, n.due_at from first f cross join lateral (
      select c.workspace_id, c.due_at from public.callback c where c.workspace_id > f.workspace_id
      order by c.workspace_id, c.due_at limit 1) n
  )
  select f.workspace_id, f.due_at from first f where f.due_at < 'infinity' order by f.due_at limit most
$$;
-- A vendor calls with nothing but the account's id, which is a random one: it leads to the workspace, and to nothing else.
create function parley_account_workspace(account uuid, provider text) returns uuid
language sql stable security definer set search_path = pg_catalog, public as $$
  select a.workspace_id from public.provider_account a where a.id = account and a.kind = provider and a.archived_at is null
$$;
select parley_owner_reads('provider_account');
