-- Why: people, the addresses they are reached at (sealed), what we know of them, and how files of them come in.

-- No foreign key to the workspace here and in `address`: its check is a third of what a row of an import costs the
-- database, and the policy lets nobody write a row of a workspace other than the one the transaction has set.
create table contact (
  workspace_id uuid not null,
  id uuid not null,
  external_id text,
  salt bytea,
  attributes jsonb not null default '{}',
  locale text,
  time_zone text,
  country text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  erased_at timestamptz,
  revision integer not null default 1,
  primary key (workspace_id, id)
);
create unique index contact_external_id on contact (workspace_id, external_id) where external_id is not null;
select parley_isolate('contact');
comment on column contact.salt is 'HKDF salt of the contact''s own key; destroyed on erasure: no salt, no key';

create table address (
  workspace_id uuid not null,
  id uuid not null,
  contact_id uuid not null,
  kind text not null check (kind in ('email', 'phone', 'push')),
  position smallint not null default 0,
  hash bytea not null,
  hash_version integer not null,
  sealed bytea not null,
  domain text,
  country text,
  line_type text,
  state text not null default 'ok' check (state in ('ok', 'bounced', 'complained', 'invalid')),
  state_at timestamptz,
  created_at timestamptz not null,
  primary key (workspace_id, id),
  foreign key (workspace_id, contact_id) references contact (workspace_id, id)
);
-- Of a table it knows nothing about (empty, or just filled) the planner takes any index that can use the workspace alone
-- to be as good as the right one, and goes through all of it for each key. So beside the primary key none can: one leads
-- with the contact, the other holds only for statements that say "hash_version > 0", which is true of all rows.
create index address_of_contact on address (contact_id, workspace_id, position);
create unique index address_hash on address (workspace_id, kind, hash_version, hash) where hash_version > 0;
select parley_isolate('address');
comment on column address.hash is 'keyed blind index (HMAC-SHA-256 under the index key, first 16 bytes) of the normalised value';
comment on column address.sealed is 'AES-256-GCM under the contact''s key';

create table attribute (
  workspace_id uuid not null references workspace (id),
  key text not null,
  label text not null,
  type text not null check (type in ('text', 'number', 'boolean', 'date', 'list')),
  created_at timestamptz not null,
  primary key (workspace_id, key)
);
select parley_isolate('attribute');

create table contact_import (
  workspace_id uuid not null references workspace (id),
  id uuid not null,
  state text not null check (state in ('running', 'done', 'failed', 'cancelled')),
  file_name text not null,
  object_key text not null,
  options jsonb not null,
  bytes_total bigint not null,
  bytes_done bigint not null default 0,
  rows_read integer not null default 0,
  created integer not null default 0,
  updated integer not null default 0,
  unchanged integer not null default 0,
  rejected integer not null default 0,
  cursor jsonb,
  failure text,
  cancel_requested boolean not null default false,
  stalls smallint not null default 0,
  upload_kept boolean not null default true,
  requested_by text not null,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  primary key (workspace_id, id)
);
select parley_isolate('contact_import');
comment on column contact_import.cursor is 'bytes and lines of the stored file that are in; moves in the transaction of each page';
comment on column contact_import.stalls is 'times it was taken up since a page was last finished';
comment on column contact_import.upload_kept is 'the uploaded file is still there: it goes when nothing was refused, or after a week';

create table import_rejection (
  workspace_id uuid not null references workspace (id),
  import_id uuid not null,
  line integer not null,
  field text not null,
  reason text not null,
  primary key (workspace_id, import_id, line, field),
  foreign key (workspace_id, import_id) references contact_import (workspace_id, id)
);
select parley_isolate('import_rejection');
