-- Why: when, for many: a campaign pins a template version and plans its audience page by page.

create table campaign (
  workspace_id uuid not null references workspace (id),
  id uuid not null,
  name text not null,
  channels text[] not null,
  template_id uuid not null,
  template_version integer,
  topic_id uuid not null,
  audience jsonb not null,
  sender jsonb not null default '{}',
  status text not null check (status in ('draft', 'running', 'paused', 'cancelled', 'done')),
  plan_id uuid,
  cursor uuid,
  audience_end uuid,
  created_by text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  revision integer not null default 1,
  primary key (workspace_id, id),
  foreign key (workspace_id, template_id) references template (workspace_id, id),
  foreign key (workspace_id, topic_id) references topic (workspace_id, id)
);
create index campaign_of_plan on campaign (workspace_id, plan_id) where plan_id is not null;
select parley_isolate('campaign');
comment on column campaign.audience is '{"all": true} or {"topic": key}: those who ever said yes or no to that topic';
comment on column campaign.sender is 'From and Reply-To, where they differ from the account''s';
comment on column campaign.cursor is 'the last contact planned; moves in the transaction that writes the page';
comment on column campaign.audience_end is 'the newest contact at the start: whoever comes later does not join';
