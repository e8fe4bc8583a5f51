import { Button, Code, Group, Stack, Text } from '@mantine/core';
import { IconTags } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Topic } from '../../../../contract/topics.ts';
import { api } from '../../../api.ts';
import { ask, refresh } from '../../../query.ts';
import { useCan } from '../../../shell/me.ts';
import {
  confirm,
  DataTable,
  EmptyState,
  NumberText,
  StateBadge,
  tell,
  TimeText,
  type UrlStateHandle,
} from '../../../ui/index.ts';
import { EditTopic } from './edit-topic.tsx';

const filters = [
  {
    kind: 'choice',
    key: 'archived',
    label: 'Show',
    anyLabel: 'Current topics',
    choices: [{ value: 'true', label: 'Archived topics' }],
  },
] as const;

export function TopicList({ url, onNew }: { url: UrlStateHandle; onNew: () => void }) {
  const can = useCan();
  const { cursor } = url.values;
  const archived = url.values['archived'] === 'true' ? 'true' : 'false';
  const topics = useQuery({
    ...ask('GET /topics', { query: { archived, ...(cursor ? { cursor } : {}) } }),
    placeholderData: keepPreviousData,
  });
  const [editing, setEditing] = useState<Topic>();
  return (
    <>
      {editing && <EditTopic topic={editing} onClose={() => setEditing(undefined)} />}
      <DataTable
        name="Topics"
        url={url}
        query={topics}
        filters={filters}
        rowKey={(topic) => topic.id}
        empty={
          <EmptyState
            icon={IconTags}
            title="No topics yet"
            action={can('topics:write') && <Button onClick={onNew}>Create the first topic</Button>}
          >
            Start with one, such as “Newsletter”. Consent is recorded per topic, and people can leave one without
            leaving all.
          </EmptyState>
        }
        columns={[
          {
            key: 'name',
            header: 'Topic',
            cell: (topic) => (
              <Stack gap={0}>
                <Group gap="xs">
                  <Text size="sm" fw={600}>
                    {topic.name}
                  </Text>
                  {topic.archivedAt && <StateBadge state="archived" />}
                </Group>
                {topic.description && (
                  <Text size="sm" c="dimmed">
                    {topic.description}
                  </Text>
                )}
              </Stack>
            ),
          },
          { key: 'key', header: 'Key', cell: (topic) => <Code>{topic.key}</Code> },
          { key: 'granted', header: 'Agreed', align: 'end', cell: (topic) => <Count topic={topic} of="granted" /> },
          {
            key: 'withdrawn',
            header: 'Withdrew',
            align: 'end',
            cell: (topic) => <Count topic={topic} of="withdrawn" />,
          },
          { key: 'since', header: 'Since', cell: (topic) => <TimeText at={topic.createdAt} />, optional: true },
          {
            key: 'actions',
            header: 'Actions',
            align: 'end',
            cell: (topic) => can('topics:write') && <Actions topic={topic} onEdit={() => setEditing(topic)} />,
          },
        ]}
      />
    </>
  );
}

function Count({ topic, of }: { topic: Topic; of: 'granted' | 'withdrawn' }) {
  const counted = useQuery(ask('GET /topics/:id', { params: { id: topic.id } }));
  return <NumberText value={counted.data?.[of]} />;
}

function Actions({ topic, onEdit }: { topic: Topic; onEdit: () => void }) {
  const setArchived = async (archived: boolean) => {
    if (archived) {
      const isSure = await confirm({
        title: `Archive ${topic.name}?`,
        body: 'It disappears from the preference page and can no longer be chosen for a campaign. Consents to it stay recorded, and you can restore it at any time.',
        confirmLabel: 'Archive topic',
      });
      if (!isSure) return;
    }
    try {
      await api('PATCH /topics/:id', { params: { id: topic.id }, body: { archived }, ifMatch: topic.revision });
      await refresh('topics');
      tell.done(archived ? `${topic.name} is archived.` : `${topic.name} is back.`);
    } catch (error) {
      tell.problem(error);
    }
  };
  return (
    <Group gap="xs" justify="flex-end">
      <Button size="xs" variant="default" onClick={onEdit} aria-label={`Change ${topic.name}`}>
        Change
      </Button>
      <Button
        size="xs"
        variant="default"
        onClick={() => void setArchived(topic.archivedAt === null)}
        aria-label={`${topic.archivedAt ? 'Restore' : 'Archive'} ${topic.name}`}
      >
        {topic.archivedAt ? 'Restore' : 'Archive'}
      </Button>
    </Group>
  );
}
