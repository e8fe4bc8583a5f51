import type { OutgoingSms } from '../port.ts';

export { startPlaying } from '../whatsapp/testing.ts';
export type { PlayedAnswer, PlayedRequest, Playing } from '../whatsapp/testing.ts';

/** A mobile of Germany's plan, kept free by its regulator for films and the like. */
export const playedNumber = '+4915228817386';
export const workspaceId = '0198c1d2-0000-7000-8000-00000000000a';
export const accountId = '0198c1d2-0000-7000-8000-00000000000b';
export const messageId = '0198c1d2-0000-7000-8000-000000000001';

export const callbackUrl = (kind: string, id: string) => `https://parley.example/api/v1/callbacks/${kind}/${id}`;

export function sms(change: Partial<OutgoingSms> = {}): OutgoingSms {
  return { channel: 'sms', messageId, to: playedNumber, text: 'Hello Ada', category: 'marketing', ...change };
}
