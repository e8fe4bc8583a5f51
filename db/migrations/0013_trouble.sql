-- Why: messages that need somebody (failed, bounced, in doubt) are found without an index on the state of the ledger.

-- One row per message in trouble, written when it gets there and removed when it leaves. An index on message.state would
-- make every settling write all indexes of the ledger anew (no HOT update); what is accepted never touches this table.
create table dead_letter (
  workspace_id uuid not null references workspace (id),
  message_id uuid not null,
  plan_id uuid not null,
  campaign_id uuid,
  state text not null check (state in ('failed', 'bounced', 'unknown')),
  channel text not null,
  category text not null,
  reason text,
  code text,
  provider text,
  account_id uuid,
  domain text,
  tries smallint not null,
  at timestamptz not null,
  discarded_at timestamptz,
  asks smallint not null default 0,
  ask_at timestamptz,
  primary key (workspace_id, message_id)
);
create index dead_letter_of_campaign on dead_letter (workspace_id, campaign_id, message_id) where campaign_id is not null;
create index dead_letter_of_code on dead_letter (workspace_id, code, message_id) where code is not null;
create index dead_letter_of_domain on dead_letter (workspace_id, domain, message_id) where domain is not null;
create index dead_letter_of_category on dead_letter (workspace_id, category, message_id);
create index dead_letter_of_state on dead_letter (workspace_id, state, message_id);
create index dead_letter_ask on dead_letter (ask_at) where ask_at is not null;
select parley_isolate('dead_letter');
select parley_owner_reads('dead_letter');
comment on column dead_letter.discarded_at is 'somebody put it aside: the message stays as it is, and is shown no more among the dead letters';
comment on column dead_letter.ask_at is 'of one in doubt: when the provider is asked about it next, or the policy of the workspace applies';

-- Where there is somebody to ask about, across workspaces: ids only.
create function parley_doubts(due_by timestamptz, most integer) returns table (workspace_id uuid)
language sql stable security definer set search_path = pg_catalog, public as $$
  select d.workspace_id from (select x.workspace_id, x.ask_at from public.dead_letter x where x.ask_at <= due_by order by x.ask_at limit 10000) d
  group by d.workspace_id order by min(d.ask_at) limit most
$$;
