import type { AddressKind } from './consent.rules.ts';

/** An address as the suppression list knows it: by keyed hash only. */
export interface HashedAddress {
  readonly kind: AddressKind;
  readonly hash: Buffer;
  readonly version: number;
}

const shape = /^(email|phone|push):(\d{1,9}):([0-9a-f]{2,64})$/;
const kinds: Readonly<Record<string, AddressKind>> = { email: 'email', phone: 'phone', push: 'push' };

/** The list has no ids of its own; the keyed hash names an entry without giving the address away. */
export function suppressionId(address: HashedAddress): string {
  return `${address.kind}:${address.version}:${address.hash.toString('hex')}`;
}

export function parseSuppressionId(id: string): HashedAddress | undefined {
  const [, kindText = '', version = '', hash = ''] = shape.exec(id) ?? [];
  const kind = kinds[kindText];
  return kind === undefined ? undefined : { kind, version: Number(version), hash: Buffer.from(hash, 'hex') };
}
