-- Run after every migration: what the server's role may do. It owns nothing and cannot bypass row-level security.
-- ":server" is replaced by the quoted role name.
grant usage on schema public to :server;
grant select, insert, update, delete on all tables in schema public to :server;
grant execute on all functions in schema public to :server;
-- Rows are reached through the parent; a partition read directly would need a privilege of its own.
do $$
declare child regclass;
begin
  for child in select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relispartition and c.relkind = 'r' loop
    execute format('revoke all on %s from :server', child);
  end loop;
end $$;
-- Append-only by privilege: no role of the server can change or remove what is written here.
revoke update, delete, truncate on audit_entry, consent_event, event, template_version from :server;
revoke insert, update, delete, truncate on schema_migration, event_epoch from :server;
