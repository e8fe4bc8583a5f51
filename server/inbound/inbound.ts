import type { Activity } from '../activity/index.ts';
import type { Delivery } from '../delivery/index.ts';
import { createChoices } from './choices.ts';
import type { Choices, ChoicesDeps } from './choices.ts';
import { engagementKinds, hitsOf } from './engagement.ts';
import { createHits } from './hits.ts';
import type { Hits, HitsDeps } from './hits.ts';

export interface InboundDeps extends Omit<HitsDeps, 'events'>, Omit<ChoicesDeps, 'events'> {
  readonly events: Pick<Activity, 'append' | 'defineConsumer'>;
  readonly delivery: Pick<Delivery, 'applyEngagement'>;
}

export interface Inbound {
  readonly hits: Hits;
  readonly choices: Choices;
}

/** To be made before the consumers start: it follows the log, and counts for delivery what people did. */
export function createInbound(deps: InboundDeps): Inbound {
  deps.events.defineConsumer('engagement', engagementKinds, async (tx, events) => {
    const hits = hitsOf(events);
    if (hits.length > 0) await deps.delivery.applyEngagement(tx, hits);
  });
  return { hits: createHits(deps), choices: createChoices(deps) };
}
