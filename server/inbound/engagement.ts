import type { LoggedEvent } from '../activity/index.ts';
import type { Hit } from '../delivery/index.ts';

/** Channels without links of ours tell that a message was read; it counts like an open. */
export const engagementKinds = ['message.opened', 'message.read', 'message.clicked', 'message.unsubscribed'] as const;

const burstMs = 1000;

/** Messages whose links a scanner followed, and when: its first clicks looked like a person's. */
function burstsOf(events: readonly LoggedEvent[]): Map<string, number[]> {
  const bursts = new Map<string, number[]>();
  for (const event of events)
    if (event.messageId !== null && event.data['machine'] === 'burst')
      bursts.set(event.messageId, [...(bursts.get(event.messageId) ?? []), event.occurredAt.epochMilliseconds]);
  return bursts;
}

/** What of the log counts as engagement: people's opens and clicks, machines' opens apart, machines' clicks not at all. */
export function hitsOf(events: readonly LoggedEvent[]): Hit[] {
  const bursts = burstsOf(events);
  return events.flatMap((event): Hit[] => {
    const { messageId, kind, occurredAt: at } = event;
    if (messageId === null) return [];
    const byMachine = event.data['machine'] !== undefined;
    if (kind === 'message.unsubscribed') return [{ messageId, kind: 'unsubscribed', at }];
    if (kind === 'message.opened' || kind === 'message.read')
      return [{ messageId, kind: byMachine ? 'machine-opened' : 'opened', at }];
    const inBurst = bursts.get(messageId)?.some((ms) => Math.abs(ms - at.epochMilliseconds) <= burstMs) ?? false;
    return byMachine || inBurst ? [] : [{ messageId, kind: 'clicked', at }];
  });
}
