import type { AddressInfo } from 'node:net';
import { compose } from './compose.ts';
import type { Parley } from './compose.ts';
import { ConfigError } from './config.ts';
import type { Config } from './config.ts';
import { openHouse } from './house.ts';
import type { House } from './house.ts';
import { AppError } from './platform/errors.ts';
import { systemClock } from './platform/clock.ts';
import type { Db } from './platform/db.ts';
import type { Log } from './platform/log.ts';
import { createSharedClock } from './platform/shared-clock.ts';

/** A running server. */
export interface Running {
  readonly parley: Parley;
  readonly url: string;
  /** Resolves when there is no going on: a supervisor, or a person, has to start it anew. */
  readonly lost: Promise<Error>;
  stop(): Promise<void>;
}

/** Of the 10 s that a stop may take, what is left when this is over belongs to the database. */
const longestStopMs = 6_500;

/** Opens the house, puts the server together, listens, starts the work. What was opened is closed again when a step fails. */
export async function startServer(config: Config, log: Log): Promise<Running> {
  const house = await openHouse(config, systemClock, log);
  try {
    return await startIn(house, config, log);
  } catch (error) {
    await house.close();
    throw error;
  }
}

async function startIn(house: House, config: Config, log: Log): Promise<Running> {
  let local = `http://${config.host}:${config.port}`;
  const localOrigin = () => local;
  const origin = () => config.publicOrigin ?? local;
  const clock = createSharedClock({ log });
  const stopping = new AbortController();
  const parley = await compose({
    config,
    clock,
    log,
    vault: house.vault,
    serverUrl: house.serverUrl,
    origin,
    localOrigin,
  });
  try {
    await clock.follow(() => databaseTime(parley.db), stopping.signal);
    await assertKeyFits(parley, house);
    await parley.workspaces.ensureFirst({ admin: config.admin, bootstrapKey: config.bootstrapKey });
    // Its URL is announced when everything runs, not when the port is taken.
    const listenTextResolver = () => 'listening';
    await parley.app.listen({ host: config.host, port: config.port, listenTextResolver }).catch(cannotListen(config));
    local = originOf(config.host, parley.app.server.address());
    await parley.start();
  } catch (error) {
    stopping.abort();
    await parley.stop();
    throw error;
  }
  return {
    parley,
    url: origin(),
    lost: house.lost,
    stop: async () => {
      stopping.abort();
      const ended = parley.stop().then(
        () => true,
        (error: unknown) => log.error({ err: error }, 'not everything ended in order'),
      );
      // Whoever is waited for in vain (a provider that keeps silent) is left to the leases: the database ends in order.
      const slept = new AbortController();
      const inOrder = await Promise.race([ended, systemClock.sleep(longestStopMs, slept.signal)]);
      slept.abort();
      if (inOrder !== true) log.warn('what still ran when the time was up is put in order by the next start');
      await house.close();
    },
  };
}

/** Of the wall, not of the transaction's beginning. */
async function databaseTime(db: Db): Promise<Temporal.Instant> {
  const [row] = await db.glance((tx) => tx.query<{ now: Temporal.Instant }>('select clock_timestamp() as now'));
  if (row === undefined) throw new Error('a select without a row');
  return row.now;
}

/** A wrong key would be noticed message by message; here it is told at once, before anything is sealed with it. */
async function assertKeyFits({ db }: Parley, { vault }: House): Promise<void> {
  const [workspace] = await db.system((tx) =>
    tx.query<{ id: string }>('select id from parley_workspace_ids() limit 1'),
  );
  if (workspace === undefined) return;
  await db
    .read(workspace.id, (tx) => vault.keys(tx))
    .catch((error: unknown) => {
      if (error instanceof AppError) throw error;
      throw new ConfigError(['PARLEY_MASTER_KEY: is not the key that this database was sealed with']);
    });
}

function cannotListen({ host, port }: Config): (error: unknown) => never {
  return (error) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`PARLEY_HOST, PARLEY_PORT: cannot listen on ${host}, port ${port}: ${reason}`]);
  };
}

function originOf(host: string, address: AddressInfo | string | null): string {
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  // A server on every interface is reached on the loopback.
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
