import { SimpleGrid, Skeleton, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Queues } from '../../../contract/queues.ts';
import { ask } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { channels } from '../../ui/channels.ts';
import { NumberText, PageHeader, ProblemAlert, Section, TextLink, TimeText } from '../../ui/index.ts';
import { Callbacks } from './callbacks.tsx';

const pollMs = 5_000;

const priorities: Readonly<Record<Queues['lines'][number]['priority'], string>> = {
  otp: 'One-time codes',
  transactional: 'Transactional',
  journey: 'Journeys',
  campaign: 'Campaigns',
};

export function QueuesPage() {
  const can = useCan();
  const query = useQuery({ ...ask('GET /queues'), refetchInterval: pollMs });
  return (
    <Stack gap="lg">
      <PageHeader title="Queues" description="What waits to be sent, most urgent first, and what providers told us." />
      <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton height={240} aria-label="The queues are loading" />}
      {query.data && (
        <>
          <Lines queues={query.data} />
          <Trouble queues={query.data} />
          {can('providers:read') && <Callbacks />}
        </>
      )}
    </Stack>
  );
}

function Lines({ queues: { lines, countedAtMost } }: { queues: Queues }) {
  return (
    <Section
      title="Waiting to be sent"
      description="Within a channel, one-time codes and transactional messages go before campaigns."
    >
      {lines.length === 0 ? (
        <Text c="dimmed">Nothing waits: everything that was due has been handed over.</Text>
      ) : (
        <Table.ScrollContainer minWidth={680}>
          <Table aria-label="Waiting to be sent" verticalSpacing="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Urgency</Table.Th>
                <Table.Th>Channel</Table.Th>
                <Table.Th ta="end">Waiting</Table.Th>
                <Table.Th ta="end">On the wire</Table.Th>
                <Table.Th ta="end">For later</Table.Th>
                <Table.Th ta="end">Paused</Table.Th>
                <Table.Th>Oldest due</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {lines.map((line) => (
                <Table.Tr key={`${line.priority} ${line.channel}`}>
                  <Table.Td>{priorities[line.priority]}</Table.Td>
                  <Table.Td>{channels[line.channel].label}</Table.Td>
                  <Table.Td ta="end">
                    <NumberText value={line.waiting} />
                  </Table.Td>
                  <Table.Td ta="end">
                    <NumberText value={line.inFlight} />
                  </Table.Td>
                  <Table.Td ta="end">
                    <NumberText value={line.deferred} />
                    {line.deferred >= countedAtMost && ' or more'}
                  </Table.Td>
                  <Table.Td ta="end">
                    <NumberText value={line.paused} />
                  </Table.Td>
                  <Table.Td>{line.oldestDueAt === null ? '—' : <TimeText at={line.oldestDueAt} />}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Section>
  );
}

function Trouble({ queues: { deadLetters, countedAtMost } }: { queues: Queues }) {
  const facts = [
    { label: 'Failed', state: 'failed', value: deadLetters.failed },
    { label: 'Bounced', state: 'bounced', value: deadLetters.bounced },
    { label: 'No answer', state: 'unknown', value: deadLetters.unknown },
  ] as const;
  return (
    <Section title="Dead letters" actions={<TextLink to="/dead-letters">Look after them</TextLink>}>
      <SimpleGrid cols={{ base: 1, xs: 3 }} component="dl" m={0}>
        {facts.map((fact) => (
          <div key={fact.state}>
            <Text component="dt" size="sm" c="dimmed">
              {fact.label}
            </Text>
            <Text component="dd" m={0} fw={600} size="lg">
              <NumberText value={fact.value} />
              {fact.value >= countedAtMost && ' or more'}
            </Text>
          </div>
        ))}
      </SimpleGrid>
    </Section>
  );
}
