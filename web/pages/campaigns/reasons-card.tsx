import { Card, Stack, Table, Text, Title } from '@mantine/core';
import { reasonText, stateText } from '../../reasons.ts';
import { NumberText, StateBadge, TextLink } from '../../ui/index.ts';
import { rankedReasons, type Stats } from './results.rules.ts';

const order = ['unknown', 'failed', 'held', 'suppressed'];

/** Why some did not get it, or not yet: each reason with its number, leading to the messages themselves. */
export function ReasonsCard(props: { campaignId: string; stats: Stats }) {
  const rows = order.flatMap((state) =>
    rankedReasons(props.stats.reasons[state] ?? {}).map((reason) => ({ state, ...reason })),
  );
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="sm">
        Not sent, and why
      </Title>
      {rows.length === 0 ? (
        <Text c="dimmed" size="sm">
          {nothingText(props.stats)}
        </Text>
      ) : (
        <Table verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Reason</Table.Th>
              <Table.Th ta="end">People</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => {
              const reason = reasonText(row.code);
              return (
                <Table.Tr key={`${row.state} ${row.code}`}>
                  <Table.Td>
                    <Stack gap={2}>
                      <span>
                        <StateBadge state={row.state} label={stateText(row.state).label} />{' '}
                        <TextLink
                          to="/messages"
                          search={{ campaignId: props.campaignId, state: row.state, reason: row.code } as never}
                        >
                          {reason.title}
                        </TextLink>
                      </span>
                      <Text size="sm" c="dimmed">
                        {reason.why} {reason.remedy}
                      </Text>
                    </Stack>
                  </Table.Td>
                  <Table.Td ta="end">
                    <NumberText value={row.count} />
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      )}
    </Card>
  );
}

function nothingText({ status, planned }: Stats): string {
  if (status === 'cancelled') return 'Whoever had not got it when it was cancelled does not get it.';
  if (status === 'done')
    return planned === 0 ? 'There was nobody in the audience.' : 'Everybody in the audience got it.';
  return 'Nobody is left out so far.';
}
