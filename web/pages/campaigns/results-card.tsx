import { Card, Progress, Stack, Table, Text, Title } from '@mantine/core';
import { NumberText, useFormats, type Formats } from '../../ui/index.ts';
import { ratesOf, type Rate, type Stats } from './results.rules.ts';

const names: Readonly<Record<Rate['key'], string>> = {
  opened: 'Opened',
  clicked: 'Clicked',
  unsubscribed: 'Unsubscribed',
  bounced: 'Bounced',
  complained: 'Reported as spam',
};

/** A share too small for its decimals must not read as nothing. */
function shareText({ count, rate }: Rate, formats: Formats): string {
  if (rate === undefined) return '—';
  return count > 0 && rate < smallestShown ? `under ${formats.percent(smallestShown)}` : formats.percent(rate);
}
const smallestShown = 0.001;

/** What people did with it, each as a share with its denominator said. */
export function ResultsCard({ stats }: { stats: Stats }) {
  const formats = useFormats();
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="sm">
        Results
      </Title>
      <Table verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>What</Table.Th>
            <Table.Th ta="end">People</Table.Th>
            <Table.Th ta="end">Share</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {ratesOf(stats).map((rate) => (
            <Table.Tr key={rate.key}>
              <Table.Td>
                <Stack gap={4}>
                  {names[rate.key]}
                  <Progress value={(rate.rate ?? 0) * 100} size="xs" aria-hidden maw={220} />
                </Stack>
              </Table.Td>
              <Table.Td ta="end">
                <NumberText value={rate.count} />
              </Table.Td>
              <Table.Td ta="end">
                <Text component="span" inherit fw={600}>
                  {shareText(rate, formats)}
                </Text>
                <Text size="xs" c="dimmed">
                  {rate.denominator} ({formats.number(rate.of)})
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="sm" c="dimmed" mt="sm">
        {stats.machineOpened > 0
          ? `${formats.number(stats.machineOpened)} more were opened by machines (mailbox prefetch, scanners) and are not counted. `
          : ''}
        People who read with pictures switched off are not seen as openers; clicks are the surer number.
      </Text>
    </Card>
  );
}
