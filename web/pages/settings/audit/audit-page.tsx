import { Button, Code, Group, Modal, Stack, Text } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AuditEntry } from '../../../../contract/audit.ts';
import { ask } from '../../../query.ts';
import { useCan } from '../../../shell/me.ts';
import {
  ChainCheck,
  DataTable,
  EmptyState,
  PageHeader,
  TimeText,
  useUrlState,
  type Filter,
} from '../../../ui/index.ts';
import { Entry } from './entry.tsx';
import { dayEnd, dayStart } from './days.ts';

const kinds = [
  'address',
  'api-key',
  'attribute',
  'campaign',
  'contact',
  'export',
  'import',
  'invitation',
  'message',
  'provider',
  'role',
  'route',
  'session',
  'suppression',
  'template',
  'topic',
  'user',
  'workspace',
];

export function AuditLog() {
  const url = useUrlState();
  const can = useCan();
  const { actorId, action, targetKind, targetId, from, to, cursor } = url.values;
  const given = Object.entries({ actorId, action, targetKind, targetId, cursor }).filter(([, value]) => value);
  const query = {
    ...Object.fromEntries(given),
    ...(from ? { from: dayStart(from) } : {}),
    ...(to ? { to: dayEnd(to) } : {}),
  };
  const entries = useQuery({ ...ask('GET /audit/logs', { query }), placeholderData: keepPreviousData });
  const users = useQuery({ ...ask('GET /users', { query: { limit: 200 } }), enabled: can('team:read') });
  const [shown, setShown] = useState<AuditEntry>();
  const people = (users.data?.data ?? []).map((user) => ({ value: user.id, label: user.name }));
  const filters: Filter[] = [
    ...(people.length > 0 ? [{ kind: 'choice' as const, key: 'actorId', label: 'Who', choices: people }] : []),
    { kind: 'text', key: 'action', label: 'Action', placeholder: 'e.g. topic.created' },
    { kind: 'choice', key: 'targetKind', label: 'What', choices: kinds.map((kind) => ({ value: kind, label: kind })) },
    { kind: 'date', key: 'from', label: 'From' },
    { kind: 'date', key: 'to', label: 'To' },
  ];
  return (
    <>
      <PageHeader
        title="Audit log"
        description="Every change: who made it, when, from where, and what it was before. Nobody can change or remove an entry; each is chained to the one before."
        actions={<ChainCheck of="GET /audit/verify" />}
      />
      <Modal opened={shown !== undefined} onClose={() => setShown(undefined)} title={shown?.action} size="xl">
        {shown && <Entry entry={shown} />}
      </Modal>
      <DataTable
        name="Audit log"
        url={url}
        query={entries}
        filters={filters}
        rowKey={(entry) => entry.id}
        empty={
          <EmptyState icon={IconHistory} title="Nothing has happened yet">
            From the first change on, everything is written down here.
          </EmptyState>
        }
        columns={[
          { key: 'at', header: 'When', cell: (entry) => <TimeText at={entry.at} /> },
          { key: 'who', header: 'Who', cell: (entry) => <Who entry={entry} /> },
          { key: 'action', header: 'Action', cell: (entry) => <Code>{entry.action}</Code> },
          { key: 'target', header: 'What', cell: (entry) => <Target entry={entry} onFilter={url.set} /> },
          { key: 'ip', header: 'From', cell: (entry) => entry.ip ?? '—' },
          { key: 'seq', header: 'Number', align: 'end', cell: (entry) => entry.seq, optional: true },
          {
            key: 'open',
            header: 'Details',
            align: 'end',
            cell: (entry) => (
              <Button
                size="xs"
                variant="default"
                onClick={() => setShown(entry)}
                aria-label={`Details of ${entry.action}, entry ${entry.seq}`}
              >
                Details
              </Button>
            ),
          },
        ]}
      />
    </>
  );
}

function Who({ entry }: { entry: AuditEntry }) {
  const kinds = { user: '', key: 'API key', token: 'API token', system: 'by itself', contact: 'contact' };
  return (
    <Stack gap={0}>
      <Text size="sm">{entry.actor.name}</Text>
      {kinds[entry.actor.kind] && (
        <Text size="sm" c="dimmed">
          {kinds[entry.actor.kind]}
        </Text>
      )}
    </Stack>
  );
}

function Target({ entry, onFilter }: { entry: AuditEntry; onFilter: (patch: Record<string, string>) => void }) {
  const { target } = entry;
  if (!target) return '—';
  const names = [entry.after?.['name'], entry.before?.['name']];
  const name = names.find((one) => typeof one === 'string') ?? `…${target.id.slice(-8)}`;
  return (
    <Group gap={6} wrap="nowrap" justify="flex-start">
      <Text size="sm">{target.kind}</Text>
      <Button
        size="compact-xs"
        variant="subtle"
        onClick={() => onFilter({ targetKind: target.kind, targetId: target.id })}
        title="Only what happened to this one"
      >
        {name}
      </Button>
    </Group>
  );
}
