import { z } from 'zod';
import { isIP, BlockList } from 'node:net';

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
const url = (protocols: RegExp) => z.url({ protocol: protocols });

/** The one message for everything that is wrong with a number: what is wanted, and what came. */
function whole(least: number, most: number) {
  const fits = (text: string) => /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most;
  const error = ({ input }: { input?: unknown }) =>
    `must be a whole number from ${least} to ${most}, but is "${String(input).slice(0, 40)}"`;
  return z.string().refine(fits, { error }).transform(Number);
}

/** Every setting there is, with what it means; `npm run parley -- start --help` prints it. */
const settings = {
  PARLEY_PORT: whole(0, 65_535).default(3000).describe('port to listen on (default 3000; 0 takes a free one)'),
  PARLEY_HOST: z.string().min(1).default('127.0.0.1').describe('address to listen on (default 127.0.0.1)'),
  PARLEY_URL: url(/^https?$/)
    .optional()
    .describe('public origin used in links (default: from host and port)'),
  PARLEY_DATA_DIR: z
    .string()
    .min(1)
    .default('./.parley')
    .describe('embedded database, generated keys, files (default ./.parley)'),
  DATABASE_URL: url(/^postgres(ql)?$/)
    .optional()
    .describe("your own PostgreSQL 15 or newer, as the server's role (default: the embedded one)"),
  PARLEY_MIGRATE_URL: url(/^postgres(ql)?$/)
    .optional()
    .describe("the owner's role for migrations (default: DATABASE_URL, if it may create roles)"),
  PARLEY_TRUSTED_PROXIES: z
    .string()
    .default('')
    .describe("comma-separated networks whose forwarding headers decide the client's address"),
  PARLEY_MASTER_KEY: z
    .string()
    .optional()
    .describe('32 bytes, base64 (default: generated into the data folder; required with DATABASE_URL)'),
  PARLEY_ADMIN_EMAIL: z.email().optional().describe('first owner, created on an empty database'),
  PARLEY_ADMIN_PASSWORD: z
    .string()
    .min(12, 'must have at least 12 characters')
    .max(200)
    .optional()
    .describe("the first owner's password, 12 characters or more"),
  PARLEY_BOOTSTRAP_KEY: z
    .string()
    .min(32, 'must have at least 32 characters')
    .max(200)
    .regex(/^[\x21-\x7e]*$/, 'must be visible ASCII characters, so that it fits a header')
    .refine((key) => !/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(key), 'must not look like a JWT')
    .optional()
    .describe('an API key with owner scope, created on an empty database; 32 characters or more'),
  PARLEY_ROLE: z.enum(['all', 'api', 'worker']).default('all').describe('all, api or worker (default all)'),
  PARLEY_ALLOW_PRIVATE_NETWORKS: flag
    .optional()
    .describe('true lets provider hosts be in private networks (default: true only when the public origin is local)'),
  PARLEY_RETURN_DOMAIN: z
    .string()
    .max(190)
    .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/i, 'must be a domain')
    .optional()
    .describe(
      'domain that bounces of mail sent by SMTP come back to; its MX leads here (default: bounces are not read)',
    ),
  PARLEY_MAIL_PORT: whole(0, 65_535)
    .default(2525)
    .describe('port on which bounces are taken in, with PARLEY_RETURN_DOMAIN (default 2525; 0 takes a free one)'),
  PARLEY_IMPORT_MAX_MB: whole(1, 10_240).default(512).describe('largest file to import, in MB (default 512)'),
  PARLEY_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
    .default('info')
    .describe('fatal, error, warn, info, debug or silent (default info)'),
} as const;

const schema = z.object(settings);
export const settingNames = Object.keys(settings) as (keyof typeof settings)[];

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Public origin, without a slash at the end; undefined until the port is known when it is 0. */
  readonly publicOrigin: string | undefined;
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly migrateUrl: string | undefined;
  readonly trustedProxies: readonly string[];
  readonly masterKey: Buffer | undefined;
  readonly admin: { readonly email: string; readonly password: string } | undefined;
  readonly bootstrapKey: string | undefined;
  readonly role: 'all' | 'api' | 'worker';
  readonly allowPrivateNetworks: boolean;
  /** Set when bounces of mail sent by SMTP come back here. */
  readonly mail: { readonly domain: string; readonly port: number } | undefined;
  readonly importMaxBytes: number;
  readonly logLevel: string;
}

/** All problems of the settings at once, each named. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The settings are not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

type Parsed = z.output<typeof schema>;

/** Reads the environment into one frozen object. Empty values count as not set. Throws `ConfigError`. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const problems: string[] = [];
  const parsed = schema.safeParse(given);
  if (!parsed.success)
    for (const issue of parsed.error.issues) problems.push(`${issue.path.join('.')}: ${issue.message}`);
  problems.push(...unknownNames(given), ...combinations(given));
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(toConfig(parsed.data));
}

function unknownNames(given: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set<string>([...settingNames, 'PARLEY_CONTRACTS', 'PARLEY_CRASH_FAULTS']);
  return Object.keys(given)
    .filter((name) => name.startsWith('PARLEY_') && !known.has(name))
    .map((name) => `${name}: there is no such setting`);
}

function combinations(given: Readonly<Record<string, string | undefined>>): string[] {
  const problems: string[] = [];
  const has = (name: string) => given[name] !== undefined;
  if (has('DATABASE_URL') && !has('PARLEY_MASTER_KEY')) problems.push('PARLEY_MASTER_KEY: required with DATABASE_URL');
  if (has('PARLEY_MIGRATE_URL') && !has('DATABASE_URL'))
    problems.push('PARLEY_MIGRATE_URL: makes sense only with DATABASE_URL');
  if (has('PARLEY_ADMIN_EMAIL') !== has('PARLEY_ADMIN_PASSWORD'))
    problems.push('PARLEY_ADMIN_EMAIL and PARLEY_ADMIN_PASSWORD: set both or neither');
  const key = given['PARLEY_MASTER_KEY'];
  if (key !== undefined && !isKey(key)) problems.push('PARLEY_MASTER_KEY: must be 32 bytes in base64');
  for (const network of networks(given['PARLEY_TRUSTED_PROXIES'] ?? ''))
    if (!isNetwork(network)) problems.push(`PARLEY_TRUSTED_PROXIES: "${network}" is not an address or network`);
  const origin = given['PARLEY_URL'];
  if (origin !== undefined && URL.canParse(origin) && !/^[^/]+\/\/[^/@?#]+\/?$/.test(origin))
    problems.push('PARLEY_URL: must be an origin without a path');
  return problems;
}

/** 32 bytes in base64 (either alphabet); Node would skip what is not base64. */
export function isKey(text: string): boolean {
  return /^[\w+/-]{43}=?$/.test(text);
}

const networks = (list: string) =>
  list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

function isNetwork(value: string): boolean {
  const [address = '', prefix] = value.split('/');
  const family = isIP(address);
  if (family === 0) return false;
  if (prefix === undefined) return true;
  try {
    new BlockList().addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
    return /^\d+$/.test(prefix);
  } catch {
    return false;
  }
}

function toConfig(data: Parsed): Config {
  const publicOrigin = data.PARLEY_URL === undefined ? undefined : new URL(data.PARLEY_URL).origin;
  const email = data.PARLEY_ADMIN_EMAIL;
  const password = data.PARLEY_ADMIN_PASSWORD;
  return {
    host: data.PARLEY_HOST,
    port: data.PARLEY_PORT,
    publicOrigin,
    dataDir: data.PARLEY_DATA_DIR,
    databaseUrl: data.DATABASE_URL,
    migrateUrl: data.PARLEY_MIGRATE_URL,
    trustedProxies: networks(data.PARLEY_TRUSTED_PROXIES),
    masterKey: data.PARLEY_MASTER_KEY === undefined ? undefined : Buffer.from(data.PARLEY_MASTER_KEY, 'base64'),
    admin: email === undefined || password === undefined ? undefined : { email, password },
    bootstrapKey: data.PARLEY_BOOTSTRAP_KEY,
    role: data.PARLEY_ROLE,
    allowPrivateNetworks: data.PARLEY_ALLOW_PRIVATE_NETWORKS ?? isLocal(publicOrigin),
    mail:
      data.PARLEY_RETURN_DOMAIN === undefined
        ? undefined
        : { domain: data.PARLEY_RETURN_DOMAIN.toLowerCase(), port: data.PARLEY_MAIL_PORT },
    importMaxBytes: data.PARLEY_IMPORT_MAX_MB * 1024 * 1024,
    logLevel: data.PARLEY_LOG_LEVEL,
  };
}

/** The origin is this machine's own, seen from itself. */
export function isLocal(origin: string | undefined): boolean {
  if (origin === undefined) return true;
  const { hostname } = new URL(origin);
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

/** One line per setting, for `--help`. */
export function describeSettings(): string {
  return settingNames.map((name) => `  ${name.padEnd(32)}${settings[name].description ?? ''}`).join('\n');
}
