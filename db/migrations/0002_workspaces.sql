-- Why: who may come in: people, their sessions, their places in workspaces, API keys, and the record of what each did.

-- People and their sign-in exist before and beside any workspace (one person may belong to several), so the auth_* tables
-- carry no workspace_id and no row-level security; what a person may see is decided by their row in member, which does.
create table auth_user (
  id uuid primary key,
  name text not null,
  email text not null unique,
  email_verified boolean not null default false,
  image text,
  two_factor_enabled boolean default false,
  time_zone text,
  locale text,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
comment on table auth_user is 'exempt from row-level security: a person is not of one workspace; their memberships are';

create table auth_session (
  id uuid primary key,
  user_id uuid not null references auth_user (id),
  token text not null unique,
  expires_at timestamptz not null,
  ip_address text,
  user_agent text,
  last_seen_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index auth_session_of_user on auth_session (user_id);
create index auth_session_expiry on auth_session (expires_at);
comment on table auth_session is 'exempt from row-level security: a session is found before its workspace is known';

create table auth_account (
  id uuid primary key,
  user_id uuid not null references auth_user (id),
  account_id text not null,
  provider_id text not null,
  password text,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamptz,
  refresh_token_expires_at timestamptz,
  scope text,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index auth_account_of_user on auth_account (user_id);
create unique index auth_account_at_provider on auth_account (provider_id, account_id);
comment on table auth_account is 'exempt from row-level security: how a person proves who they are (password hash), before any workspace';

create table auth_verification (
  id uuid primary key,
  identifier text not null,
  value text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index auth_verification_identifier on auth_verification (identifier);
create index auth_verification_expiry on auth_verification (expires_at);
comment on table auth_verification is 'exempt from row-level security: hashed one-time tokens (password reset, second factor), used before sign-in';

create table auth_two_factor (
  id uuid primary key,
  user_id uuid not null references auth_user (id),
  secret text not null,
  backup_codes text not null,
  verified boolean default true,
  failed_verification_count integer default 0,
  locked_until timestamptz
);
create index auth_two_factor_of_user on auth_two_factor (user_id);
comment on table auth_two_factor is 'exempt from row-level security: the second factor (encrypted) of a person, asked before any workspace';

-- Attempts at sign-in and the like, per hashed account and per hashed address; persisted so that a restart forgives nothing.
create table auth_rate_limit (
  key text primary key,
  attempts integer not null,
  window_ends_at timestamptz not null
);
create index auth_rate_limit_age on auth_rate_limit (window_ends_at);
comment on table auth_rate_limit is 'exempt from row-level security: counts attempts of callers not known yet';

-- Named sets of permissions a workspace makes for itself, beside the built-in roles.
create table permission_set (
  workspace_id uuid not null references workspace (id),
  key text not null,
  name text not null,
  description text not null,
  permissions text[] not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (workspace_id, key)
);
select parley_isolate('permission_set');
select parley_owner_reads('permission_set');

create table member (
  workspace_id uuid not null references workspace (id),
  user_id uuid not null,
  role text not null,
  permissions text[],
  disabled_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (workspace_id, user_id),
  check ((role = 'custom') = (permissions is not null))
);
create index member_of_user on member (user_id);
create index member_of_role on member (workspace_id, role);
select parley_isolate('member');
select parley_owner_reads('member');
comment on column member.user_id is 'auth_user.id; no foreign key, since keys run between workspace tables only';
comment on column member.role is 'key of a built-in role or of a permission_set; custom: the person''s own permissions';

create table invitation (
  workspace_id uuid not null references workspace (id),
  id uuid not null,
  email text not null,
  role text not null,
  permissions text[],
  token_hash bytea not null,
  invited_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  accepted_at timestamptz,
  revoked_at timestamptz,
  primary key (workspace_id, id),
  check ((role = 'custom') = (permissions is not null))
);
create index invitation_token on invitation (token_hash);
select parley_isolate('invitation');
select parley_owner_reads('invitation');
comment on column invitation.invited_by is 'name of who invited, as it was then';

create table api_key (
  workspace_id uuid not null references workspace (id),
  id uuid not null,
  name text not null,
  prefix text not null,
  hash bytea not null,
  scopes text[] not null,
  created_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  primary key (workspace_id, id)
);
create index api_key_hash on api_key (hash);
select parley_isolate('api_key');
select parley_owner_reads('api_key');
comment on column api_key.hash is 'SHA-256 of the secret, which has 256 bits of its own: a slow hash would gain nothing';
comment on column api_key.prefix is 'the first characters, shown so that people can tell keys apart';

-- Append-only (by privilege) and hash-chained: each mac covers the row and the mac before it, under the workspace's chain key.
create table audit_entry (
  workspace_id uuid not null references workspace (id),
  seq bigint not null,
  id uuid not null,
  at timestamptz not null,
  actor_kind text not null,
  actor_id text,
  actor_name text not null,
  action text not null,
  target_kind text,
  target_id text,
  before jsonb,
  after jsonb,
  ip text,
  user_agent text,
  request_id text,
  mac bytea not null,
  primary key (workspace_id, seq)
);
create index audit_entry_of_actor on audit_entry (workspace_id, actor_id, seq);
create index audit_entry_of_target on audit_entry (workspace_id, target_kind, target_id, seq);
create index audit_entry_of_action on audit_entry (workspace_id, action, seq);
create index audit_entry_at on audit_entry (workspace_id, at);
select parley_isolate('audit_entry');

-- The head of the chain, kept apart from it and signed itself, so that a cut-off tail is found.
create table audit_head (
  workspace_id uuid primary key references workspace (id),
  seq bigint not null,
  mac bytea not null,
  seal bytea not null
);
select parley_isolate('audit_head');

-- Look-ups for callers whose workspace is not known yet: each from one credential to one row, nothing more.
create function parley_api_key(key_hash bytea)
returns table (workspace_id uuid, id uuid, name text, hash bytea, scopes text[], expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select k.workspace_id, k.id, k.name, k.hash, k.scopes, k.expires_at, k.revoked_at, k.last_used_at
  from public.api_key k where k.hash = key_hash limit 1
$$;
create function parley_memberships(member_user_id uuid)
returns table (workspace_id uuid, workspace_name text, role text, permissions text[], disabled_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select m.workspace_id, w.name, m.role, coalesce(m.permissions, s.permissions), m.disabled_at
  from public.member m
  join public.workspace w on w.id = m.workspace_id
  left join public.permission_set s on s.workspace_id = m.workspace_id and s.key = m.role
  where m.user_id = member_user_id order by m.created_at, m.workspace_id
$$;
create function parley_invitation(invitation_token_hash bytea) returns table (workspace_id uuid, id uuid)
language sql stable security definer set search_path = pg_catalog, public as $$
  select i.workspace_id, i.id from public.invitation i where i.token_hash = invitation_token_hash limit 1
$$;
create function parley_workspace_count() returns bigint
language sql stable security definer set search_path = pg_catalog, public as $$ select count(*) from public.workspace $$;
