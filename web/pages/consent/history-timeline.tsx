import { Stack, Text, Timeline } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Answer } from '../../api.ts';
import { ask } from '../../query.ts';
import { eventText, sentence } from '../../reasons.ts';
import { basisText, sourceText } from '../../sources.ts';
import { useCan } from '../../shell/me.ts';
import { TimeText } from '../../ui/index.ts';

type Entry = Answer<'GET /compliance/consent/:address'>['history'][number];

const kinds = {
  grant: 'consent.granted',
  withdraw: 'consent.withdrawn',
  confirm: 'consent.confirmed',
  expire: 'consent.expired',
};

/** Entries of the consent ledger, newest first, each with its evidence and who recorded it. */
export function HistoryTimeline({ history }: { history: readonly Entry[] }) {
  const can = useCan();
  const users = useQuery({ ...ask('GET /users', { query: { limit: 200 } }), enabled: can('team:read') });
  const names = new Map(users.data?.data.map((user) => [user.id, user.name]));
  return (
    <Timeline bulletSize={14} lineWidth={2}>
      {history
        .toSorted((a, b) => b.seq - a.seq)
        .map((entry) => (
          <Timeline.Item key={entry.eventId} title={`${eventText(kinds[entry.action])}: ${entry.topic}`}>
            <EntryBody entry={entry} recordedBy={actorText(entry.actor, names)} />
          </Timeline.Item>
        ))}
    </Timeline>
  );
}

function EntryBody({ entry, recordedBy }: { entry: Entry; recordedBy: string }) {
  const evidence = Object.entries(entry.evidence).filter(([, value]) => value !== null && value !== '');
  return (
    <Stack gap={2}>
      <Text size="sm" c="dimmed" component="div">
        <TimeText at={entry.occurredAt} /> {sourceText(entry.source)}
      </Text>
      <Text size="sm">{basisText[entry.basis]}</Text>
      {evidence.map(([key, value]) => (
        <Text size="sm" key={key} style={{ overflowWrap: 'anywhere' }}>
          {sentence(key.replaceAll(/([A-Z])/g, ' $1').toLowerCase())}: {String(value)}
        </Text>
      ))}
      <Text size="xs" c="dimmed">
        Entry {entry.seq} of the ledger, recorded by {recordedBy}
      </Text>
    </Stack>
  );
}

/** The ledger names whoever recorded it as `kind:id`; ids of people get their names where they may be seen. */
function actorText(actor: string, names: ReadonlyMap<string, string>): string {
  const [kind = '', id = ''] = actor.split(':');
  if (kind === 'user') return names.get(id) ?? 'somebody of your team';
  if (kind === 'key' || kind === 'token') return 'a program with an API key';
  if (kind === 'contact') return 'the person';
  return actor === 'system' ? 'Parley itself' : actor;
}
