import { Progress, Text } from '@mantine/core';
import { IconPlus, IconSend } from '@tabler/icons-react';
import type { Campaign } from '../../../contract/campaigns.ts';
import { useList } from '../../list.ts';
import { refresh } from '../../query.ts';
import { stateText } from '../../reasons.ts';
import { useCan } from '../../shell/me.ts';
import { useStream } from '../../stream.ts';
import { channels } from '../../ui/channels.ts';
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

const statuses = ['draft', 'running', 'paused', 'done', 'cancelled'] as const;

const columns: readonly Column<Campaign>[] = [
  {
    key: 'name',
    header: 'Campaign',
    cell: (row) => (
      <TextLink to="/campaigns/$id" params={{ id: row.id }}>
        {row.name}
      </TextLink>
    ),
  },
  {
    key: 'status',
    header: 'State',
    cell: (row) => <StateBadge state={row.status} label={stateText(row.status).label} />,
  },
  {
    key: 'channel',
    header: 'Channel',
    cell: (row) => row.channels.map((one) => channels[one].label).join(', '),
  },
  { key: 'progress', header: 'Sent', cell: (row) => <SentCell campaign={row} />, width: 190 },
  { key: 'opened', header: 'Opened', align: 'end', cell: (row) => <NumberText value={row.totals?.opened} /> },
  { key: 'clicked', header: 'Clicked', align: 'end', cell: (row) => <NumberText value={row.totals?.clicked} /> },
  { key: 'templateName', header: 'Template', cell: (row) => row.templateName, optional: true },
  { key: 'topic', header: 'Topic', cell: (row) => row.topic },
  { key: 'startedAt', header: 'Started', cell: (row) => <TimeText at={row.startedAt} /> },
  { key: 'createdAt', header: 'Made', cell: (row) => <TimeText at={row.createdAt} />, optional: true },
];

function SentCell({ campaign }: { campaign: Campaign }) {
  const { totals } = campaign;
  if (!totals) {
    return (
      <Text component="span" inherit c="dimmed">
        Not started
      </Text>
    );
  }
  const share = totals.planned > 0 ? (totals.accepted / totals.planned) * 100 : 0;
  return (
    <div style={{ minWidth: 130 }}>
      <NumberText value={totals.accepted} /> of <NumberText value={totals.planned} />
      <Progress value={share} size="sm" mt={4} aria-label={`Sent of ${campaign.name}`} />
    </div>
  );
}

const filters: readonly Filter[] = [
  { kind: 'text', key: 'q', label: 'Find', placeholder: 'Part of the name' },
  {
    kind: 'choice',
    key: 'status',
    label: 'State',
    choices: statuses.map((value) => ({ value, label: stateText(value).label })),
  },
];

export function CampaignsPage() {
  const url = useUrlState();
  const can = useCan();
  const query = useList('GET /campaigns', url, { filters, isMoving: (row) => row.status === 'running' });
  useStream(['campaign'], () => void refresh('campaigns'));
  const create = can('campaigns:write') && (
    <LinkButton to="/campaigns/new" leftSection={<IconPlus size={16} aria-hidden />}>
      New campaign
    </LinkButton>
  );
  return (
    <>
      <PageHeader
        title="Campaigns"
        description="One message to many people, each only where they agreed."
        actions={create}
      />
      <DataTable
        name="Campaigns"
        columns={columns}
        query={query}
        rowKey={(row) => row.id}
        url={url}
        filters={filters}
        empty={
          <EmptyState icon={IconSend} title="No campaigns yet" action={create}>
            Choose a template, a topic and an audience. Before anything is sent you see who will get it, who will not,
            and why.
          </EmptyState>
        }
      />
    </>
  );
}
