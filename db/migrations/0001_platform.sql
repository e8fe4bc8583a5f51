-- Why: what every other table stands on: workspaces, isolation between them, keys for sealing, idempotency.

create table workspace (
  id uuid primary key,
  name text not null,
  settings jsonb not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  revision integer not null default 1
);
alter table workspace enable row level security;
alter table workspace force row level security;
create policy workspace_only on workspace
  using (id = nullif(current_setting('parley.workspace', true), '')::uuid);

-- Puts a table (or one partition) behind its workspace: only rows of the workspace that the
-- transaction has set are visible or writable; no workspace set means no rows.
create function parley_isolate(target regclass) returns void language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format('create policy workspace_only on %s using (workspace_id = nullif(current_setting(''parley.workspace'', true), '''')::uuid)', target);
end $$;

-- Lets SECURITY DEFINER look-ups (which run as the owner) read across workspaces; the server's role gains nothing by it.
create function parley_owner_reads(target regclass) returns void language plpgsql as $$
begin
  execute format('create policy owner_reads on %s for select to %I using (true)', target, current_user);
end $$;

-- Makes the partition of one month, isolated like its parent. Called ahead of time by migrate and by the monthly job.
create function parley_ensure_month(parent text, month date) returns void
language plpgsql security definer set search_path = pg_catalog, public set timezone = 'UTC' as $$
declare
  first date := date_trunc('month', month)::date;
  child text := format('%s_%s', parent, to_char(first, 'YYYY_MM'));
begin
  if parent not in ('message', 'engagement', 'event') then
    raise exception 'parley_ensure_month: % is not partitioned by month', parent;
  end if;
  if to_regclass(format('public.%I', child)) is not null then return; end if;
  execute format('create table public.%I partition of public.%I for values from (%L) to (%L)', child, parent, first, (first + interval '1 month')::date);
  -- Each message is updated once or twice: with room on its page that costs no entry in any index.
  if parent = 'message' then execute format('alter table public.%I set (fillfactor = 80)', child); end if;
  perform public.parley_isolate(format('public.%I', child)::regclass);
end $$;

-- Analyses tables that have outgrown what the planner knows of them eightfold: a plan made for an empty table takes any
-- index that fits, and keeps it. Autovacuum comes a minute later; a just filled table is a thousand times slower till then.
create function parley_refresh_statistics() returns integer
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  grown regclass;
  count integer := 0;
begin
  if not pg_try_advisory_xact_lock(7236403) then return 0; end if;
  for grown in
    select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind = 'r' and pg_relation_size(c.oid) > 8 * 8192
      and (c.reltuples < 0 or pg_relation_size(c.oid) > 8 * 8192 * greatest(c.relpages, 1)::bigint)
    order by c.oid
  loop
    execute format('analyze %s', grown);
    count := count + 1;
  end loop;
  return count;
end $$;

-- Data keys, wrapped by the master key; versions let them be rotated while running.
create table workspace_key (
  workspace_id uuid not null references workspace (id),
  purpose text not null check (purpose in ('data', 'index', 'chain')),
  version integer not null,
  wrapped bytea not null,
  created_at timestamptz not null,
  retired_at timestamptz,
  primary key (workspace_id, purpose, version)
);
select parley_isolate('workspace_key');

-- One row per Idempotency-Key, written in the transaction of the effect itself: both happen or neither.
create table idempotency_key (
  workspace_id uuid not null references workspace (id),
  key text not null,
  route text not null,
  body_hash bytea not null,
  minted_id uuid not null,
  status integer,
  response text,
  created_at timestamptz not null,
  primary key (workspace_id, key)
);
create index idempotency_key_age on idempotency_key (workspace_id, created_at);
select parley_isolate('idempotency_key');

-- Every workspace, for workers that go round them; ids only.
create function parley_workspace_ids() returns table (id uuid)
language sql stable security definer set search_path = pg_catalog, public as $$ select w.id from public.workspace w $$;
select parley_owner_reads('workspace');
