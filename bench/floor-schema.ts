import pg from 'pg';

/** The plain tables of the floors: what any sender on PostgreSQL must keep, without sealing, chains, isolation or events of its own. */
const schema = `
  drop schema if exists floor cascade; create schema floor;
  create table floor.contact (id uuid primary key, external_id text unique, attributes jsonb not null, created_at timestamptz not null);
  create table floor.address (id uuid primary key, contact_id uuid not null references floor.contact (id), kind text not null, value text not null, unique (kind, value));
  create index on floor.address (contact_id, kind);
  create table floor.consent (address_id uuid primary key, state text not null, source text not null, at timestamptz not null);
  create table floor.message (id uuid primary key, contact_id uuid not null unique, state text not null, ref text, settled_at timestamptz);
  create table floor.claim (id int primary key, begun int not null);
  insert into floor.claim values (1, 0);
  create table floor.event (id uuid primary key, message_id uuid not null, kind text not null, at timestamptz not null)`;

/** Pinned plans: planned once, along indexes only, as the server's own hot loops do. */
const pinned =
  '-c plan_cache_mode=force_generic_plan -c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off';

export async function openFloor(ownerUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: ownerUrl, options: pinned });
  await client.connect();
  await client.query(schema);
  return client;
}

export async function assertDurable(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ fsync: string; commit: string }>(
    "select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit",
  );
  if (rows[0]?.fsync !== 'on' || rows[0]?.commit !== 'on')
    throw new Error('measured without durability: fsync and synchronous_commit must be on');
}
