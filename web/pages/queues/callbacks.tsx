import { Button, Group, Skeleton, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { KeptCallback } from '../../../contract/queues.ts';
import { api } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { confirm, ProblemAlert, Section, StateBadge, tell, TimeText } from '../../ui/index.ts';

const pollMs = 5_000;

/** What providers told and nobody has read yet; what could not be read is a person's to look after. */
export function Callbacks() {
  const query = useQuery({ ...ask('GET /callbacks', { query: { limit: 50 } }), refetchInterval: pollMs });
  const rows = query.data?.data;
  return (
    <Section
      title="Callbacks of providers"
      description="Each is kept until it was read. One that could not be read after several tries is given up and kept here."
    >
      <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton height={80} aria-label="The callbacks are loading" />}
      {rows?.length === 0 && <Text c="dimmed">None waits: everything that providers told was read.</Text>}
      {rows !== undefined && rows.length > 0 && (
        <Table.ScrollContainer minWidth={620}>
          <Table aria-label="Callbacks of providers" verticalSpacing="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>From</Table.Th>
                <Table.Th>Received</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th ta="end">Tries</Table.Th>
                <Table.Th>What to do</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((row) => (
                <CallbackRow key={row.id} row={row} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {query.data?.nextCursor && (
        <Text size="sm" c="dimmed" mt="sm">
          The newest 50 are shown.
        </Text>
      )}
    </Section>
  );
}

function CallbackRow({ row }: { row: KeptCallback }) {
  const can = useCan();
  const [busy, setBusy] = useState(false);
  const name = row.accountName ?? row.provider;
  const act = async (work: () => Promise<unknown>, done: string) => {
    setBusy(true);
    try {
      await work();
      await refresh('callbacks', 'queues');
      tell.done(done);
    } catch (error) {
      tell.problem(error);
    } finally {
      setBusy(false);
    }
  };
  const discard = async () => {
    const said = await confirm({
      title: 'Throw this callback away?',
      body: 'What the provider told in it is lost: messages it spoke of stay as they are.',
      confirmLabel: 'Throw it away',
      danger: true,
    });
    if (said) await act(() => api('POST /callbacks/:id/discard', { params: { id: row.id } }), 'Thrown away.');
  };
  return (
    <Table.Tr>
      <Table.Td>{name}</Table.Td>
      <Table.Td>
        <TimeText at={row.receivedAt} />
      </Table.Td>
      <Table.Td>
        {row.state === 'given-up' ? (
          <StateBadge state="failed" label="Given up" />
        ) : (
          <StateBadge state="planned" label="Waiting" />
        )}
      </Table.Td>
      <Table.Td ta="end">{row.tries}</Table.Td>
      <Table.Td>
        {can('providers:write') && (
          <Group gap="xs">
            <Button
              size="compact-sm"
              variant="default"
              loading={busy}
              aria-label={`Read the callback of ${name} again`}
              onClick={() =>
                void act(() => api('POST /callbacks/:id/retry', { params: { id: row.id } }), 'It is read again.')
              }
            >
              Read again
            </Button>
            {row.state === 'given-up' && (
              <Button
                size="compact-sm"
                variant="default"
                loading={busy}
                aria-label={`Throw the callback of ${name} away`}
                onClick={() => void discard()}
              >
                Throw away…
              </Button>
            )}
          </Group>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
