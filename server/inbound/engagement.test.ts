import { expect, test } from 'vitest';
import type { LoggedEvent } from '../activity/index.ts';
import { hitsOf } from './engagement.ts';

const start = Temporal.Instant.from('2026-01-01T00:00:00Z');
const event = (
  kind: string,
  messageId: string | null,
  afterMs: number,
  data: Record<string, unknown> = {},
): LoggedEvent => {
  const at = start.add({ milliseconds: afterMs });
  return {
    id: `${kind} ${afterMs}`,
    kind,
    occurredAt: at,
    recordedAt: at,
    contactId: 'c',
    messageId,
    campaignId: null,
    data,
  };
};

test('people are counted, machines apart or not at all', () => {
  const hits = hitsOf([
    event('message.opened', 'a', 0),
    event('message.opened', 'b', 1, { machine: 'head' }),
    event('message.clicked', 'a', 2, { link: 0 }),
    event('message.clicked', 'b', 3, { link: 0, machine: 'scanner' }),
    event('message.unsubscribed', 'a', 4),
    event('message.opened', null, 5),
  ]);
  expect(hits.map((hit) => [hit.messageId, hit.kind])).toEqual([
    ['a', 'opened'],
    ['b', 'machine-opened'],
    ['a', 'clicked'],
    ['a', 'unsubscribed'],
  ]);
});

test('the first clicks of a scanner, which looked like a person, are not counted once it gave itself away', () => {
  const hits = hitsOf([
    event('message.clicked', 'a', 0, { link: 0 }),
    event('message.clicked', 'a', 100, { link: 1 }),
    event('message.clicked', 'a', 200, { link: 2, machine: 'burst' }),
    event('message.clicked', 'a', 60_000, { link: 1 }),
    event('message.clicked', 'b', 100, { link: 0 }),
  ]);
  expect(hits.map((hit) => [hit.messageId, hit.at.epochMilliseconds - start.epochMilliseconds])).toEqual([
    ['a', 60_000],
    ['b', 100],
  ]);
});
