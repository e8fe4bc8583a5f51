import { Badge, Group, Text } from '@mantine/core';
import { IconFileImport } from '@tabler/icons-react';
import type { ContactImport } from '../../../contract/imports.ts';
import { useList } from '../../list.ts';
import { refresh } from '../../query.ts';
import { stateText } from '../../reasons.ts';
import { useStream } from '../../stream.ts';
import {
  DataTable,
  EmptyState,
  LinkButton,
  NumberText,
  PageHeader,
  StateBadge,
  TextLink,
  TimeText,
  useUrlState,
  type Column,
  type Filter,
} from '../../ui/index.ts';

const columns: readonly Column<ContactImport>[] = [
  {
    key: 'fileName',
    header: 'File',
    cell: (row) => (
      <TextLink to="/imports/$id" params={{ id: row.id }}>
        {row.fileName}
      </TextLink>
    ),
  },
  {
    key: 'state',
    header: 'State',
    cell: (row) => (
      <Group gap={6} wrap="nowrap">
        <StateBadge state={row.state} label={stateText(row.state).label} />
        {row.dryRun && (
          <Badge variant="outline" color="gray" tt="none" radius="sm" title="Only checked, nothing written">
            Check only
          </Badge>
        )}
      </Group>
    ),
  },
  { key: 'rowsRead', header: 'Rows', align: 'end', cell: (row) => <NumberText value={row.rowsRead} /> },
  { key: 'created', header: 'Added', align: 'end', cell: (row) => <NumberText value={row.created} /> },
  { key: 'updated', header: 'Changed', align: 'end', cell: (row) => <NumberText value={row.updated} /> },
  {
    key: 'unchanged',
    header: 'Same',
    align: 'end',
    cell: (row) => <NumberText value={row.unchanged} />,
    optional: true,
  },
  {
    key: 'rejected',
    header: 'Refused',
    align: 'end',
    cell: (row) => (
      <Text component="span" inherit {...(row.rejected > 0 ? { c: 'var(--mantine-color-error)' } : {})}>
        <NumberText value={row.rejected} />
      </Text>
    ),
  },
  { key: 'requestedBy', header: 'By', cell: (row) => row.requestedBy, optional: true },
  { key: 'createdAt', header: 'Started', cell: (row) => <TimeText at={row.startedAt ?? row.createdAt} /> },
];

const filters: readonly Filter[] = [
  {
    kind: 'choice',
    key: 'state',
    label: 'State',
    choices: ['running', 'done', 'failed', 'cancelled'].map((value) => ({ value, label: stateText(value).label })),
  },
];

export function ImportsPage() {
  const url = useUrlState();
  const query = useList('GET /imports', url, { filters, isMoving: (row) => row.state === 'running' });
  useStream(['import'], () => void refresh('imports'));
  const start = (
    <LinkButton to="/imports/new" leftSection={<IconFileImport size={16} aria-hidden />}>
      Import a file
    </LinkButton>
  );
  return (
    <>
      <PageHeader
        title="Imports"
        description="Files of contacts that came in, and what became of each row."
        actions={start}
      />
      <DataTable
        name="Imports"
        columns={columns}
        query={query}
        rowKey={(row) => row.id}
        url={url}
        filters={filters}
        empty={
          <EmptyState icon={IconFileImport} title="Nothing imported yet" action={start}>
            Drop a CSV file from your shop, CRM or spreadsheet. You see how its columns are understood, and can check it
            without writing anything.
          </EmptyState>
        }
      />
    </>
  );
}
