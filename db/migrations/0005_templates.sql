-- Why: what we say; versions never change once written, so a send can pin one.

create table template (
  workspace_id uuid not null references workspace (id),
  id uuid not null,
  name text not null,
  channel text not null,
  category text not null check (category in ('marketing', 'transactional', 'otp', 'utility')),
  locale text not null,
  current_version integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  archived_at timestamptz,
  revision integer not null default 1,
  primary key (workspace_id, id)
);
select parley_isolate('template');

create table template_version (
  workspace_id uuid not null references workspace (id),
  template_id uuid not null,
  version integer not null,
  source jsonb not null,
  compiled jsonb not null,
  created_by jsonb not null,
  created_at timestamptz not null,
  primary key (workspace_id, template_id, version),
  foreign key (workspace_id, template_id) references template (workspace_id, id)
);
select parley_isolate('template_version');
comment on column template_version.source is 'as written: subject, preheader, mjml or html, text';
comment on column template_version.compiled is 'Liquid ready to render, with its links, variables and the warnings its author saw';
comment on column template_version.created_by is 'who, as shown: kind, id, name';
