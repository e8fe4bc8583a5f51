import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Tx } from './db.ts';
import { hmacSha256 } from './hmac.ts';
import { idBytes, random } from './ids.ts';

/**
 * Sealing of personal data and secrets: AES-256-GCM (NIST SP 800-38D), 96-bit random nonce, the context and
 * the workspace as associated data, so that a sealed value moved to another place does not open.
 * Layout: version (1 byte) · nonce (12) · tag (16) · ciphertext.
 */
export interface WorkspaceKeys {
  readonly workspaceId: string;
  /** Under the contact's own key: HKDF of the workspace's data key and the salt in the contact's row. No salt, no key. */
  contactKey(salt: Buffer): ContactKey;
  /** A contact's key again, from what another thread has derived. */
  contactKeyFrom(bytes: Buffer): ContactKey;
  sealFor(salt: Buffer, plain: string, context: string): Buffer;
  openFor(salt: Buffer, sealed: Buffer, context: string): string;
  /** Under the workspace's data key: provider secrets, sandbox mail. */
  seal(plain: string | Buffer, context: string): Buffer;
  open(sealed: Buffer, context: string): string;
  openBytes(sealed: Buffer, context: string): Buffer;
  /** Keyed blind index: finds one exact value without storing it. 16 bytes of HMAC-SHA-256. */
  blindIndex(kind: string, normalised: string): { hash: Buffer; version: number };
  readonly chainKey: Buffer;
  readonly linkKey: Buffer;
  /** For a thread of this process, which makes them whole again with `openKeys`; never for anything outside it. */
  readonly material: KeyMaterial;
}

/** The raw keys of one workspace. Plain bytes, so that they can be handed to another thread. */
export interface KeyMaterial {
  readonly workspaceId: string;
  readonly data: Uint8Array;
  readonly index: Uint8Array;
  readonly chain: Uint8Array;
  readonly link: Uint8Array;
}

export interface ContactKey {
  readonly bytes: Buffer;
  seal(plain: string, context: string): Buffer;
  open(sealed: Buffer, context: string): string;
}

export interface Vault {
  /** The keys of the transaction's workspace; cached. */
  keys(tx: Tx): Promise<WorkspaceKeys>;
  /** Makes the keys of a new workspace. */
  create(tx: Tx): Promise<void>;
  /** Signs links; needs no database, so that a forged link costs nothing. */
  linkKey(workspaceId: string): Buffer;
  /** A key for one use of this installation (server role's password, session secret, …), 32 bytes. */
  derive(use: string): Buffer;
}

const sealVersion = 1;
const firstBlock = Buffer.of(1);

function sealWith(key: Buffer, plain: string | Buffer, context: Buffer): Buffer {
  const nonce = random(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(context);
  const body = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain);
  cipher.final();
  return Buffer.concat([Buffer.of(sealVersion), nonce, cipher.getAuthTag(), body]);
}

function openWith(key: Buffer, sealed: Buffer, context: Buffer): Buffer {
  if (sealed[0] !== sealVersion || sealed.length < 29) throw new Error('sealed value has an unknown format');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 13));
  decipher.setAAD(context);
  decipher.setAuthTag(sealed.subarray(13, 29));
  const body = decipher.update(sealed.subarray(29));
  decipher.final();
  return body;
}

/** HKDF-SHA-256 (RFC 5869) for one block of 32 bytes. By hand: `hkdfSync` makes a job of each call, four times as slow, and an import derives one a contact. */
function hkdf(key: Buffer, salt: Buffer, info: string): Buffer {
  return hmacSha256(hmacSha256(salt, key), info, firstBlock);
}

const noSalt = Buffer.alloc(0);

/** Working keys from raw ones. */
export function openKeys(material: KeyMaterial): WorkspaceKeys {
  const { workspaceId } = material;
  const [data, index, chainKey, linkKey] = [material.data, material.index, material.chain, material.link].map((one) =>
    Buffer.from(one),
  ) as [Buffer, Buffer, Buffer, Buffer];
  const aad = (context: string) => Buffer.from(`${workspaceId}|${context}`);
  const contactKeyFrom = (key: Buffer): ContactKey => ({
    bytes: key,
    seal: (plain, context) => sealWith(key, plain, aad(context)),
    open: (sealed, context) => openWith(key, sealed, aad(context)).toString('utf8'),
  });
  const contactKey = (salt: Buffer) => contactKeyFrom(hkdf(data, salt, 'contact'));
  const workspaceKey = hkdf(data, noSalt, 'workspace');
  return {
    workspaceId,
    material,
    contactKey,
    contactKeyFrom,
    sealFor: (salt, plain, context) => contactKey(salt).seal(plain, context),
    openFor: (salt, sealed, context) => contactKey(salt).open(sealed, context),
    seal: (plain, context) => sealWith(workspaceKey, plain, aad(context)),
    open: (sealed, context) => openWith(workspaceKey, sealed, aad(context)).toString('utf8'),
    openBytes: (sealed, context) => openWith(workspaceKey, sealed, aad(context)),
    blindIndex: (kind, normalised) => ({
      hash: hmacSha256(index, `${kind}:${normalised}`).subarray(0, 16),
      version: 1,
    }),
    chainKey,
    linkKey,
  };
}

const purposes = ['data', 'index', 'chain'] as const;
type Purpose = (typeof purposes)[number];

/** `masterKey` is 32 bytes; the data keys of workspaces are wrapped by a key derived from it. */
export function createVault(masterKey: Buffer, clock: Clock): Vault {
  const wrapping = hkdf(masterKey, noSalt, 'wrap');
  const cache = new Map<string, WorkspaceKeys>();
  const linkKey = (workspaceId: string) => hkdf(masterKey, idBytes(workspaceId), 'links');
  const context = (workspaceId: string, purpose: string) => Buffer.from(`${workspaceId}|key|${purpose}`);

  return {
    linkKey,
    derive: (use) => hkdf(masterKey, noSalt, `use:${use}`),
    keys: async (tx) => {
      const known = cache.get(tx.workspaceId);
      if (known !== undefined) return known;
      const rows = await tx.query<{ purpose: Purpose; wrapped: Buffer }>(
        `select distinct on (purpose) purpose, wrapped from workspace_key
         where workspace_id = $1 and retired_at is null order by purpose, version desc`,
        [tx.workspaceId],
      );
      const raw: Partial<Record<Purpose, Buffer>> = {};
      for (const row of rows) raw[row.purpose] = openWith(wrapping, row.wrapped, context(tx.workspaceId, row.purpose));
      const { data, index, chain } = raw;
      if (data === undefined || index === undefined || chain === undefined)
        throw new Error(`workspace ${tx.workspaceId} has no keys`);
      const { workspaceId } = tx;
      const keys = openKeys({ workspaceId, data, index, chain, link: linkKey(workspaceId) });
      cache.set(tx.workspaceId, keys);
      return keys;
    },
    create: async (tx) => {
      const wrapped = purposes.map((purpose) => sealWith(wrapping, randomBytes(32), context(tx.workspaceId, purpose)));
      await tx.query(
        `insert into workspace_key (workspace_id, purpose, version, wrapped, created_at)
         select $1, p, 1, w, $4 from unnest($2::text[], $3::bytea[]) as k (p, w)`,
        [tx.workspaceId, purposes, wrapped, clock.now()],
      );
    },
  };
}
