import { Button, Card, Skeleton, Text, Timeline, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { TimelineEntry } from '../../../contract/contacts.ts';
import { api } from '../../api.ts';
import { eventText, reasonText } from '../../reasons.ts';
import { keyOf } from '../../query.ts';
import { ProblemAlert, TextLink, TimeText } from '../../ui/index.ts';

/** Everything that happened with a person, newest first. */
export function ContactTimeline({ contactId }: { contactId: string }) {
  const params = { id: contactId };
  const query = useInfiniteQuery({
    queryKey: [...keyOf('GET /contacts/:id/timeline', { params }), 'pages'],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      api('GET /contacts/:id/timeline', {
        params,
        query: { limit: 25, ...(pageParam ? { cursor: pageParam } : {}) },
        signal,
      }),
    getNextPageParam: (last) => last.nextCursor,
  });
  const entries = query.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="md">
        What happened
      </Title>
      <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton height={140} />}
      {query.data && entries.length === 0 && (
        <Text size="sm" c="dimmed">
          Nothing yet. Changes, consents and every message will show up here.
        </Text>
      )}
      <Timeline bulletSize={14} lineWidth={2}>
        {entries.map((entry) => (
          <Timeline.Item key={entry.id} title={eventText(entry.kind)}>
            <EntryBody entry={entry} />
          </Timeline.Item>
        ))}
      </Timeline>
      {query.hasNextPage && (
        <Button mt="md" variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show earlier
        </Button>
      )}
    </Card>
  );
}

function EntryBody({ entry }: { entry: TimelineEntry }) {
  const { reason, url, topic } = entry.data;
  return (
    <>
      {typeof reason === 'string' && <Text size="sm">{reasonText(reason).why}</Text>}
      {typeof topic === 'string' && <Text size="sm">{topic}</Text>}
      {typeof url === 'string' && (
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {url}
        </Text>
      )}
      <Text size="sm" c="dimmed">
        <TimeText at={entry.at} />
        {entry.messageId && (
          <>
            {' · '}
            <TextLink underline="always" to="/messages/$id" params={{ id: entry.messageId }}>
              The message
            </TextLink>
          </>
        )}
        {entry.campaignId && (
          <>
            {' · '}
            <TextLink underline="always" to="/campaigns/$id" params={{ id: entry.campaignId }}>
              The campaign
            </TextLink>
          </>
        )}
      </Text>
    </>
  );
}
