-- Why: the in-app channel: an inbox per contact. What stands in a message is sealed under the contact's own key, so that
-- erasing the person leaves nothing to read.

-- No foreign key to the workspace, as in `contact`: the policy lets nobody write into one that is not there.
create table in_app_message (
  workspace_id uuid not null,
  id uuid not null,
  contact_id uuid not null,
  account_id uuid not null,
  sealed bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  read_at timestamptz,
  clicked_at timestamptz,
  archived_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, contact_id) references contact (workspace_id, id)
);
create index in_app_message_of_contact on in_app_message (workspace_id, contact_id, created_at, id);
create index in_app_message_unread on in_app_message (workspace_id, contact_id) where read_at is null and archived_at is null;
create index in_app_message_by_age on in_app_message (workspace_id, created_at);
select parley_isolate('in_app_message');
comment on column in_app_message.id is 'of the message in the ledger: handed over twice, it is there once';
comment on column in_app_message.sealed is 'AES-256-GCM under the contact''s key: title, text, addresses and data as JSON';
