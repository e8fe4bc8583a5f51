import { IconPlus, IconTemplate } from '@tabler/icons-react';
import type { Answer } from '../../api.ts';
import { useList } from '../../list.ts';
import { useCan } from '../../shell/me.ts';
import {
  DataTable,
  EmptyState,
  LinkButton,
  PageHeader,
  StateBadge,
  TextLink,
  TimeText,
  useUrlState,
  type Column,
  type Filter,
} from '../../ui/index.ts';
import { channelNames, channels } from '../../ui/channels.ts';
import { categories, categoryName } from './draft.rules.ts';

type Row = Answer<'GET /templates'>['data'][number];

const columns: readonly Column<Row>[] = [
  {
    key: 'name',
    header: 'Template',
    cell: (row) => (
      <TextLink to="/templates/$id" params={{ id: row.id }}>
        {row.name}
      </TextLink>
    ),
  },
  { key: 'channel', header: 'Channel', cell: (row) => channels[row.channel].label },
  { key: 'subject', header: 'Subject', cell: (row) => row.subject ?? '—' },
  { key: 'category', header: 'Kind', cell: (row) => categoryName(row.category) },
  { key: 'locale', header: 'Language', cell: (row) => row.locale },
  { key: 'version', header: 'Version', align: 'end', cell: (row) => row.version },
  {
    key: 'status',
    header: 'State',
    cell: (row) => <StateBadge state={row.status} label={row.status === 'ready' ? 'Ready' : 'Archived'} />,
    optional: true,
  },
  { key: 'updatedAt', header: 'Changed', cell: (row) => <TimeText at={row.updatedAt} relative /> },
];

const filters: readonly Filter[] = [
  { kind: 'text', key: 'q', label: 'Find', placeholder: 'Part of the name' },
  {
    kind: 'choice',
    key: 'channel',
    label: 'Channel',
    choices: channelNames.map((value) => ({ value, label: channels[value].label })),
  },
  { kind: 'choice', key: 'category', label: 'Kind', choices: categories.map(({ value, label }) => ({ value, label })) },
  {
    kind: 'choice',
    key: 'status',
    label: 'State',
    choices: [
      { value: 'ready', label: 'Ready' },
      { value: 'archived', label: 'Archived' },
    ],
  },
];

export function TemplatesPage() {
  const url = useUrlState();
  const can = useCan();
  const query = useList('GET /templates', url, { filters });
  const create = can('templates:write') && (
    <LinkButton to="/templates/new" leftSection={<IconPlus size={16} aria-hidden />}>
      New template
    </LinkButton>
  );
  return (
    <>
      <PageHeader
        title="Templates"
        description="What you say. Every save is a new version; what was sent keeps the version it was sent with."
        actions={create}
      />
      <DataTable
        name="Templates"
        columns={columns}
        query={query}
        rowKey={(row) => row.id}
        url={url}
        filters={filters}
        empty={
          <EmptyState icon={IconTemplate} title="No templates yet" action={create}>
            Start from a finished design, put in your words, and see it as your contacts will.
          </EmptyState>
        }
      />
    </>
  );
}
