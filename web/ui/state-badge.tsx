import { Badge } from '@mantine/core';

/** One colour per meaning: grey waits, blue moves, green is good, yellow wants a look, red is lost. */
const colours: Readonly<Record<string, string>> = {
  draft: 'gray',
  planned: 'gray',
  waiting: 'gray',
  archived: 'gray',
  cancelled: 'gray',
  expired: 'gray',
  revoked: 'gray',
  idle: 'gray',
  none: 'gray',
  running: 'blue',
  sending: 'blue',
  open: 'blue',
  accepted: 'teal',
  delivered: 'teal',
  done: 'teal',
  ready: 'teal',
  ok: 'teal',
  granted: 'teal',
  active: 'teal',
  held: 'yellow',
  paused: 'yellow',
  cooling: 'yellow',
  degraded: 'yellow',
  warning: 'yellow',
  unknown: 'orange',
  suppressed: 'grape',
  withdrawn: 'grape',
  bounced: 'red',
  complained: 'red',
  failed: 'red',
  invalid: 'red',
  down: 'red',
  problem: 'red',
  disabled: 'red',
};

/** A state as a word in its colour. The colour never says more than the word. */
export function StateBadge({ state, label }: { state: string; label?: string }) {
  return (
    <Badge
      color={colours[state] ?? 'gray'}
      variant="light"
      tt="none"
      radius="sm"
      style={{ flex: 'none', overflow: 'visible' }}
    >
      {label ?? state.replaceAll('-', ' ')}
    </Badge>
  );
}
