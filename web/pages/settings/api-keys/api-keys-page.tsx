import { Alert, Button, Code, Group, List, Stack, Text, Tooltip } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { ApiKey } from '../../../../contract/api-keys.ts';
import { api } from '../../../api.ts';
import { useList } from '../../../list.ts';
import { refresh } from '../../../query.ts';
import { useCan } from '../../../shell/me.ts';
import {
  confirm,
  DataTable,
  EmptyState,
  PageHeader,
  permissionInWords,
  StateBadge,
  tell,
  TimeText,
  useUrlState,
} from '../../../ui/index.ts';
import { NewKey } from './new-key.tsx';

export function ApiKeys() {
  const can = useCan();
  const url = useUrlState();
  const keys = useList('GET /api-keys', url);
  const [isNew, setNew] = useState(false);
  const add = can('keys:write') && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setNew(true)}>
      New API key
    </Button>
  );
  return (
    <>
      <PageHeader
        title="API keys"
        description={
          <>
            For programs that send or read through the API; the{' '}
            <a href="/docs" target="_blank" rel="noreferrer">
              reference
            </a>{' '}
            lists every route. Give each program a key of its own, with only what it needs.
          </>
        }
        actions={add}
      />
      {isNew && <NewKey onClose={() => setNew(false)} />}
      <DataTable
        name="API keys"
        url={url}
        query={keys}
        rowKey={(key) => key.id}
        empty={
          <EmptyState icon={IconKey} title="No API keys" action={add}>
            You only need one when a program of yours talks to Parley.
          </EmptyState>
        }
        columns={[
          {
            key: 'name',
            header: 'Name',
            cell: (key) => (
              <Stack gap={0}>
                <Text size="sm" fw={600}>
                  {key.name}
                </Text>
                <Code style={{ alignSelf: 'flex-start' }}>{key.prefix}…</Code>
              </Stack>
            ),
          },
          { key: 'scopes', header: 'May', cell: (key) => <Scopes apiKey={key} /> },
          { key: 'used', header: 'Last used', cell: (key) => <TimeText at={key.lastUsedAt} relative /> },
          { key: 'expires', header: 'Expires', cell: (key) => <Expiry at={key.expiresAt} /> },
          { key: 'by', header: 'Made by', cell: (key) => key.createdBy },
          { key: 'at', header: 'Made', cell: (key) => <TimeText at={key.createdAt} />, optional: true },
          {
            key: 'actions',
            header: 'Actions',
            align: 'end',
            cell: (key) =>
              can('keys:write') && (
                <Button size="xs" variant="default" onClick={() => void revoke(key)} aria-label={`Revoke ${key.name}`}>
                  Revoke
                </Button>
              ),
          },
        ]}
      />
      <Alert variant="light" color="gray" mt="lg" title="How to use a key">
        <Group>
          <Code>Authorization: Bearer &lt;your key&gt;</Code>
        </Group>
      </Alert>
    </>
  );
}

function Scopes({ apiKey }: { apiKey: ApiKey }) {
  const words = apiKey.scopes.map(permissionInWords);
  if (words.length <= 2) return <Text size="sm">{words.join(', ')}</Text>;
  const list = (
    <List size="xs" listStyleType="none">
      {words.map((word) => (
        <List.Item key={word}>{word}</List.Item>
      ))}
    </List>
  );
  return (
    <Tooltip label={list} events={{ hover: true, focus: true, touch: true }}>
      <Text size="sm" tabIndex={0} span td="underline dotted">
        {words.length} permissions
      </Text>
    </Tooltip>
  );
}

function Expiry({ at }: { at: string | null }) {
  if (at === null) return 'never';
  if (new Date(at).getTime() < Date.now()) return <StateBadge state="expired" />;
  return <TimeText at={at} />;
}

async function revoke(key: ApiKey): Promise<void> {
  const isSure = await confirm({
    title: `Revoke ${key.name}?`,
    body: 'Programs that use it are refused within seconds. This cannot be undone.',
    confirmLabel: 'Revoke key',
    danger: true,
    typeToConfirm: key.name,
  });
  if (!isSure) return;
  try {
    await api('DELETE /api-keys/:id', { params: { id: key.id } });
    await refresh('api-keys');
    tell.done(`${key.name} is revoked.`);
  } catch (error) {
    tell.problem(error);
  }
}
