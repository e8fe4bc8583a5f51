import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { canonicalJson, genesis, linkMac, sameMac } from '../platform/chain.ts';
import type { Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { Vault, WorkspaceKeys } from '../platform/sealing.ts';
import { chainFields, evidenceContext } from './entry.rules.ts';
import { readHistory, readSalts } from './ledger.store.ts';
import type { StoredHistory } from './ledger.store.ts';
import type { Person } from './people.ts';
import * as store from './store.ts';

/** More than a person can say in years; the newest are shown. */
const mostEntries = 1000;

/** Evidence is gone with an erased contact's key; that it was there is still shown. */
function openEvidence(keys: WorkspaceKeys, salt: Buffer | undefined, entry: StoredHistory): Record<string, unknown> {
  if (salt === undefined) return { erased: true };
  const opened: unknown = JSON.parse(keys.openFor(salt, entry.evidence, evidenceContext(entry.id)));
  return typeof opened === 'object' && opened !== null ? { ...opened } : {};
}

function assertLinked(keys: WorkspaceKeys, entry: StoredHistory): void {
  const previous = entry.seq === 1 ? genesis : entry.previousMac;
  if (previous === null || !sameMac(linkMac(keys.chainKey, previous, chainFields(entry)), entry.mac))
    throw new AppError(
      'consent/ledger-broken',
      `Entry ${entry.seq} of the consent ledger was changed from outside; nothing is proven on it.`,
    );
}

export interface HistoryEntry {
  readonly eventId: string;
  readonly seq: number;
  readonly channel: 'email' | 'sms' | 'whatsapp' | 'push' | 'inapp';
  readonly topic: string;
  readonly action: 'grant' | 'withdraw' | 'confirm' | 'expire';
  readonly basis: 'consent' | 'contract' | 'legitimate-interest';
  readonly source: string;
  readonly evidence: Record<string, unknown>;
  readonly actor: string;
  readonly occurredAt: string;
  readonly recordedAt: string;
}

export interface ProvenEntry {
  readonly shown: HistoryEntry;
  readonly mac: string;
}

/** What one address said over time, oldest first, each entry checked against the one before it. */
export async function readProvenHistory(
  tx: Tx,
  keys: WorkspaceKeys,
  person: Pick<Person, 'addressId' | 'contactId'>,
): Promise<ProvenEntry[]> {
  const entries = await readHistory(tx, person.addressId, mostEntries);
  const [salt] = await readSalts(tx, [person.contactId]);
  const keyOf = await topicKeys(tx, entries);
  return entries.map((entry) => {
    assertLinked(keys, entry);
    const topic = keyOf.get(entry.topicId) ?? entry.topicId;
    return { shown: showEntry(entry, topic, openEvidence(keys, salt, entry)), mac: entry.mac.toString('base64') };
  });
}

function showEntry(entry: StoredHistory, topic: string, evidence: Record<string, unknown>): HistoryEntry {
  const { id, seq, channel, action, basis, source, actor, occurredAt, recordedAt } = entry;
  const times = { occurredAt: occurredAt.toString(), recordedAt: recordedAt.toString() };
  return {
    eventId: id,
    seq,
    channel: channel as HistoryEntry['channel'],
    topic,
    action,
    basis,
    source,
    evidence,
    actor,
    ...times,
  };
}

async function topicKeys(tx: Tx, entries: readonly StoredHistory[]): Promise<Map<string, string>> {
  const keys = new Map<string, string>();
  for (const id of new Set(entries.map((entry) => entry.topicId))) {
    const topic = await store.findTopic(tx, id);
    if (topic !== undefined) keys.set(id, topic.key);
  }
  return keys;
}

/** DER of an Ed25519 private key up to its 32 bytes (RFC 8410). */
const ed25519Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

function signingKey(vault: Pick<Vault, 'derive'>): KeyObject {
  return createPrivateKey({
    key: Buffer.concat([ed25519Prefix, vault.derive('consent-proof')]),
    format: 'der',
    type: 'pkcs8',
  });
}

const howToVerify =
  'Remove "signature", write the rest as JSON with keys sorted and without spaces, and check "value" (base64) over its UTF-8 bytes with the Ed25519 public key; ' +
  'compare the key with the one published by the operator. Each mac links the entry to the one before it under a key that only the operator has (GET /api/v1/compliance/verify checks all of them).';

export interface Signature {
  readonly algorithm: string;
  readonly publicKey: string;
  readonly value: string;
  readonly howToVerify: string;
}

/** Signs a document so that anybody can check it: Ed25519 (RFC 8032), with a key derived from the master key. */
export function signDocument(vault: Pick<Vault, 'derive'>, document: object): Signature {
  const key = signingKey(vault);
  const publicKey = createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
  const value = sign(null, Buffer.from(canonicalJson(document)), key).toString('base64');
  return { algorithm: 'Ed25519', publicKey, value, howToVerify };
}
