import { Drawer, Skeleton, Stack, Text, Timeline } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Address } from '../../../contract/contacts.ts';
import type { Answer } from '../../api.ts';
import { basisText, eventText, sentence, sourceText } from '../../reasons.ts';
import { ask } from '../../query.ts';
import { ProblemAlert, TimeText } from '../../ui/index.ts';

type Entry = Answer<'GET /compliance/consent/:address'>['history'][number];

const kinds = {
  grant: 'consent.granted',
  withdraw: 'consent.withdrawn',
  confirm: 'consent.confirmed',
  expire: 'consent.expired',
};

/** Every entry of the consent ledger for one address, with its evidence. */
export function ConsentHistory({ address, onClose }: { address: Address; onClose: () => void }) {
  const query = useQuery(ask('GET /compliance/consent/:address', { params: { address: address.id } }));
  const entries = [...(query.data?.history ?? [])].sort((a, b) => b.seq - a.seq);
  return (
    <Drawer opened onClose={onClose} position="right" title={`Consent history of ${address.masked}`}>
      <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton height={160} />}
      {query.data && entries.length === 0 && <Text c="dimmed">Nothing was ever recorded for this address.</Text>}
      <Timeline bulletSize={14} lineWidth={2}>
        {entries.map((entry) => (
          <Timeline.Item key={entry.eventId} title={`${eventText(kinds[entry.action])}: ${entry.topic}`}>
            <EntryBody entry={entry} />
          </Timeline.Item>
        ))}
      </Timeline>
    </Drawer>
  );
}

function EntryBody({ entry }: { entry: Entry }) {
  const evidence = Object.entries(entry.evidence).filter(([, value]) => value !== null && value !== '');
  return (
    <Stack gap={2}>
      <Text size="sm" c="dimmed">
        <TimeText at={entry.occurredAt} /> {sourceText(entry.source)}
      </Text>
      <Text size="sm">{basisText[entry.basis]}</Text>
      {evidence.map(([key, value]) => (
        <Text size="sm" key={key} style={{ overflowWrap: 'anywhere' }}>
          {sentence(key.replaceAll(/([A-Z])/g, ' $1').toLowerCase())}: {String(value)}
        </Text>
      ))}
      <Text size="xs" c="dimmed">
        Entry {entry.seq} of the ledger, by {entry.actor}
      </Text>
    </Stack>
  );
}
