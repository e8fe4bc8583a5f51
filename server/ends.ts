import type { Audience } from './audience/index.ts';
import type { contactVariables } from './audience/index.ts';
import type { Channels } from './channels/index.ts';
import type { Clock } from './platform/clock.ts';
import { clickToken, makeToken } from './platform/links.ts';
import type { Vault } from './platform/sealing.ts';
import type { MessageUrls, Templates } from './templates/index.ts';
import type { Workspaces } from './workspaces/index.ts';

/** What the wires run between. Each function here fills a port of one slice from others below or beside it. */
export interface Ends {
  readonly clock: Clock;
  readonly vault: Vault;
  readonly origin: () => string;
  readonly audience: Audience;
  readonly templates: Templates;
  readonly channels: Channels;
  readonly workspaces: Workspaces;
  /** Where bounces of a message come back to; undefined when nobody takes them in. */
  returnPath(workspaceId: string, messageId: string): string | undefined;
}

/** Where the links of one message lead: one signature for all of them. */
export function urlsOf(origin: string, linkKey: Uint8Array, workspaceId: string, messageId: string): MessageUrls {
  const token = makeToken(linkKey, { workspaceId, messageId });
  return {
    click: (n) => `${origin}/t/c/${clickToken(token, n)}`,
    open: `${origin}/t/o/${token}`,
    unsubscribe: `${origin}/u/${token}`,
    preferences: `${origin}/p/${token}`,
  };
}

/** Attributes were validated when they were written. */
export function attributesOf(
  stored: Readonly<Record<string, unknown>>,
): Parameters<typeof contactVariables>[0]['attributes'] {
  return stored as Parameters<typeof contactVariables>[0]['attributes'];
}
