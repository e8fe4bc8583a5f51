import { isIP } from 'node:net';
import { buildConnector } from 'undici';

/** Addresses a host may be connected to; throws an error with a `code` when there are none (platform/network.ts). */
export type Resolve = (host: string, signal?: AbortSignal) => Promise<readonly string[]>;

export interface GuardedConnectorDeps {
  readonly resolveHost: Resolve;
  /** Origins that are connected to as they are: our own sandbox. */
  isTrusted(origin: string): boolean;
  readonly connectMs: number;
  readonly authorities: string | undefined;
}

/**
 * Connects to the very addresses that were judged, one after the other, while TLS still speaks to the name: a second
 * look-up could answer otherwise than the first.
 */
export function createGuardedConnector(deps: GuardedConnectorDeps): buildConnector.connector {
  const connect = buildConnector({
    timeout: deps.connectMs,
    allowH2: false,
    ...(deps.authorities === undefined ? {} : { ca: deps.authorities }),
  });
  return (options, callback) => void connectFor(deps, connect, options, callback);
}

async function connectFor(
  deps: GuardedConnectorDeps,
  connect: buildConnector.connector,
  options: buildConnector.Options,
  callback: buildConnector.Callback,
): Promise<void> {
  let socket: Socket;
  try {
    socket = await attempt(deps, connect, options);
  } catch (error) {
    return callback(error instanceof Error ? error : new Error(String(error)), null);
  }
  callback(null, socket);
}

type Socket = NonNullable<Parameters<buildConnector.Callback>[1]>;

async function attempt(
  deps: GuardedConnectorDeps,
  connect: buildConnector.connector,
  options: buildConnector.Options,
): Promise<Socket> {
  const name = options.hostname;
  const trusted = deps.isTrusted(`${options.protocol}//${options.host ?? name}`);
  const addresses = trusted ? [name] : await deps.resolveHost(name);
  const isNamed = options.protocol === 'https:' && isIP(name) === 0;
  const servername = options.servername ?? (isNamed ? name : undefined);
  let failure: unknown = new Error('no address');
  for (const address of addresses) {
    try {
      const named = servername === undefined ? {} : { servername };
      return await once(connect, { ...options, hostname: address, ...named });
    } catch (error) {
      failure = markTls(error, options.protocol);
    }
  }
  throw failure;
}

function once(connect: buildConnector.connector, options: buildConnector.Options): Promise<Socket> {
  return new Promise((resolve, reject) => {
    connect(options, (error, socket) => {
      if (error === null) resolve(socket);
      else reject(error);
    });
  });
}

/** A reset in the middle of the handshake looks like one of TCP; Node says which it was in words only. */
function markTls(error: unknown, protocol: string): unknown {
  const isHandshake = error instanceof Error && protocol === 'https:' && error.message.includes('TLS connection');
  return isHandshake ? Object.assign(new Error('the TLS handshake broke off'), { code: 'ERR_TLS_HANDSHAKE' }) : error;
}
