import { Button, Group, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { DeadLetterFilter, DeadLetterSummary } from '../../../contract/dead-letters.ts';
import { ask } from '../../query.ts';
import { categoryText, stateText } from '../../reasons.ts';
import { channels } from '../../ui/channels.ts';
import { NumberText, ProblemAlert, Section, type UrlStateHandle } from '../../ui/index.ts';

interface Row {
  readonly value: string;
  readonly count: number;
  readonly label: string;
}

interface Grouped {
  readonly title: string;
  /** The filter that a press on one of its rows sets. */
  readonly key: string;
  readonly rows: readonly Row[];
}

const shown = 6;

function groupsOf(summary: DeadLetterSummary): Grouped[] {
  const named = (rows: DeadLetterSummary['byCode'], label: (value: string) => string = (value) => value) =>
    rows.map((row) => ({ ...row, label: label(row.value) }));
  const channelLabel = (value: string) => Object.entries(channels).find(([key]) => key === value)?.[1].label ?? value;
  return [
    { title: 'State', key: 'state', rows: named(summary.byState, (value) => stateText(value).label) },
    { title: 'Kind of trouble', key: 'category', rows: named(summary.byCategory, categoryText) },
    { title: 'Provider', key: 'provider', rows: named(summary.byProvider) },
    { title: 'Domain', key: 'domain', rows: named(summary.byDomain) },
    { title: 'Code', key: 'code', rows: named(summary.byCode) },
    { title: 'Channel', key: 'channel', rows: named(summary.byChannel, channelLabel) },
    {
      title: 'Campaign',
      key: 'campaignId',
      rows: summary.byCampaign.map((row) => ({ ...row, label: row.name ?? 'Campaign' })),
    },
  ];
}

/** What goes wrong, counted; a press narrows the list down to it. */
export function Groups({ filter, url }: { filter: DeadLetterFilter; url: UrlStateHandle }) {
  const query = useQuery(ask('GET /dead-letters/summary', { query: filter }));
  if (query.error) return <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton height={160} mb="lg" aria-label="The counts are loading" />;
  if (query.data.total === 0) return null;
  const { total, countedAtMost } = query.data;
  return (
    <Section
      title="What goes wrong"
      description={
        <>
          <NumberText value={total} /> {total === 1 ? 'message' : 'messages'}
          {total >= countedAtMost ? ', the newest of them counted' : ''}. Choose one to see only those.
        </>
      }
    >
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3, xl: 4 }} spacing="lg">
        {groupsOf(query.data)
          .filter((group) => group.rows.length > 0)
          .map((group) => (
            <GroupCard key={group.key} group={group} url={url} />
          ))}
      </SimpleGrid>
    </Section>
  );
}

function GroupCard({ group, url }: { group: Grouped; url: UrlStateHandle }) {
  return (
    <Stack gap={4} role="group" aria-label={group.title}>
      <Text size="sm" fw={600}>
        {group.title}
      </Text>
      {group.rows.slice(0, shown).map((row) => {
        const isChosen = url.values[group.key] === row.value;
        return (
          <Button
            key={row.value}
            variant={isChosen ? 'light' : 'subtle'}
            size="compact-sm"
            justify="space-between"
            fullWidth
            aria-pressed={isChosen}
            onClick={() => url.set({ [group.key]: isChosen ? undefined : row.value })}
            rightSection={<NumberText value={row.count} />}
          >
            <Text span size="sm" truncate>
              {row.label}
            </Text>
          </Button>
        );
      })}
      {group.rows.length > shown && (
        <Group>
          <Text size="xs" c="dimmed">
            and {group.rows.length - shown} more
          </Text>
        </Group>
      )}
    </Stack>
  );
}
