import { Button, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconMail, IconRefresh } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import type { MessageSummary } from '../../../contract/messages.ts';
import { api } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import {
  categoryCodes,
  categoryText,
  messageStateCodes,
  reasonCodes,
  reasonText,
  sentence,
  stateText,
} from '../../reasons.ts';
import { useCan } from '../../shell/me.ts';
import { useStream } from '../../stream.ts';
import { channelNames, channels } from '../../ui/channels.ts';
import { ContactPicker } from '../../ui/contact-picker.tsx';
import {
  confirm,
  DataTable,
  EmptyState,
  LinkButton,
  PageHeader,
  StateBadge,
  tell,
  TextLink,
  TimeText,
  useFormats,
  useUrlState,
  type Column,
  type Filter,
  type UrlStateHandle,
} from '../../ui/index.ts';
import { messageQuery } from './filter.rules.ts';
import { ResolveModal } from './resolve-modal.tsx';

const columns: readonly Column<MessageSummary>[] = [
  {
    key: 'to',
    header: 'To',
    cell: (row) => (
      <TextLink to="/messages/$id" params={{ id: row.id }}>
        {row.to ?? (row.channel === 'inapp' ? 'In the app' : 'Erased')}
      </TextLink>
    ),
  },
  {
    key: 'state',
    header: 'State',
    cell: (row) => (
      <span title={stateText(row.state).meaning}>
        <StateBadge state={row.state} label={stateText(row.state).label} />
      </span>
    ),
  },
  {
    key: 'reason',
    header: 'Why',
    cell: (row) => <Why row={row} />,
  },
  {
    key: 'campaign',
    header: 'Campaign',
    cell: (row) =>
      row.campaignId === undefined ? (
        '—'
      ) : (
        <TextLink to="/campaigns/$id" params={{ id: row.campaignId }}>
          {row.campaignName ?? 'Campaign'}
        </TextLink>
      ),
  },
  {
    key: 'template',
    header: 'Template',
    cell: (row) => (
      <TextLink to="/templates/$id" params={{ id: row.templateId }}>
        {row.templateName} v{row.templateVersion}
      </TextLink>
    ),
    optional: true,
  },
  { key: 'channel', header: 'Channel', cell: (row) => channels[row.channel].label },
  { key: 'account', header: 'Account', cell: (row) => row.accountName ?? '—', optional: true },
  { key: 'attempt', header: 'Tries', align: 'end', cell: (row) => row.attempt, optional: true },
  { key: 'plannedAt', header: 'Planned', cell: (row) => <TimeText at={row.plannedAt} /> },
  { key: 'settledAt', header: 'Settled', cell: (row) => <TimeText at={row.settledAt} />, optional: true },
];

/** Its reason in our words; of a failure also what the provider said and what that means. */
function Why({ row }: { row: MessageSummary }) {
  if (row.reason === null) return '—';
  const said = [row.trouble?.code, row.trouble?.meaning].filter(Boolean).join(': ');
  return (
    <>
      <span title={reasonText(row.reason).why}>{reasonText(row.reason).title}</span>
      {said !== '' && (
        <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {said}
        </Text>
      )}
    </>
  );
}

const freshMs = 3000;

export function MessagesPage() {
  const url = useUrlState();
  const { zone } = useFormats();
  const filters = useFilters(url);
  const query = useQuery({
    ...ask('GET /messages', { query: messageQuery(url.values, zone) }),
    placeholderData: keepPreviousData,
  });
  const isAny = (query.data?.data.length ?? 0) > 0;
  const lastNews = useRef(0);
  useStream(['message', 'campaign'], () => {
    // A running campaign tells of itself many times a second; a list that jumps that often cannot be read.
    const now = Date.now();
    if (now - lastNews.current < freshMs || url.values['cursor']) return;
    lastNews.current = now;
    void refresh('messages');
  });
  return (
    <>
      <PageHeader
        title="Messages"
        description="Every message that was ever planned, where it is, and why."
        actions={
          <>
            {isAny && <RetryFailed url={url} />}
            {isAny && <ResolveAll url={url} />}
          </>
        }
      />
      <DataTable
        name="Messages"
        columns={columns}
        query={query}
        rowKey={(row) => row.id}
        url={url}
        filters={filters}
        empty={
          <EmptyState
            icon={IconMail}
            title="No messages yet"
            action={<LinkButton to="/campaigns">Go to the campaigns</LinkButton>}
          >
            Start a campaign or send a test: each message shows up here with everything that happens to it.
          </EmptyState>
        }
      />
    </>
  );
}

const categories = ['marketing', 'transactional', 'otp', 'utility'] as const;

function useFilters(url: UrlStateHandle): readonly Filter[] {
  const can = useCan();
  const chosenId = url.values['campaignId'];
  const campaigns = useQuery({ ...ask('GET /campaigns', { query: { limit: 100 } }), enabled: can('campaigns:read') });
  const accounts = useQuery({ ...ask('GET /providers', { query: { limit: 100 } }), enabled: can('providers:read') });
  return useMemo(() => {
    const offered = (campaigns.data?.data ?? []).map((row) => ({ value: row.id, label: row.name }));
    const isOffered = chosenId === undefined || offered.some((row) => row.value === chosenId);
    return [
      {
        kind: 'choice',
        key: 'state',
        label: 'State',
        choices: messageStateCodes.map((value) => ({ value, label: stateText(value).label })),
      },
      {
        kind: 'choice',
        key: 'channel',
        label: 'Channel',
        choices: channelNames.map((value) => ({ value, label: channels[value].label })),
      },
      {
        kind: 'choice',
        key: 'reason',
        label: 'Why',
        choices: reasonCodes.map((value) => ({ value, label: reasonText(value).title })),
      },
      {
        kind: 'choice',
        key: 'campaignId',
        label: 'Campaign',
        choices: isOffered ? offered : [{ value: chosenId, label: 'An older campaign' }, ...offered],
      },
      {
        kind: 'own',
        key: 'contactId',
        input: (value, apply) => (
          <ContactPicker label="Recipient" placeholder="Anybody" value={value} onChange={apply} />
        ),
      },
      { kind: 'text', key: 'recipient', label: 'Address', placeholder: 'ada@example.com, +4915…' },
      {
        kind: 'choice',
        key: 'category',
        label: 'Purpose',
        choices: categories.map((value) => ({ value, label: value === 'otp' ? 'One-time code' : sentence(value) })),
      },
      {
        kind: 'choice',
        key: 'accountId',
        label: 'Account',
        choices: (accounts.data?.data ?? []).map((row) => ({ value: row.id, label: row.name })),
      },
      {
        kind: 'choice',
        key: 'errorCategory',
        label: 'Kind of trouble',
        choices: categoryCodes.map((value) => ({ value, label: categoryText(value) })),
      },
      { kind: 'text', key: 'code', label: 'Code', placeholder: '5.1.1, 21211, …' },
      { kind: 'date', key: 'from', label: 'From' },
      { kind: 'date', key: 'to', label: 'To' },
    ];
  }, [campaigns.data, accounts.data, chosenId]);
}

/** With the messages in doubt of a campaign on screen, one decision can be made for all of them. */
function ResolveAll({ url }: { url: UrlStateHandle }) {
  const can = useCan();
  const [isOpen, { open, close }] = useDisclosure();
  const { campaignId, state } = url.values;
  if (!campaignId || state !== 'unknown' || !can('messages:send')) return null;
  return (
    <>
      <Button variant="default" onClick={open}>
        Decide about all of them…
      </Button>
      {isOpen && <ResolveModal which={{ filter: { campaignId, state: 'unknown' } }} isMany onClose={close} />}
    </>
  );
}

/** With the failed messages of a campaign on screen, all of them can be tried again at once. */
function RetryFailed({ url }: { url: UrlStateHandle }) {
  const can = useCan();
  const [busy, setBusy] = useState(false);
  const { campaignId, state, reason } = url.values;
  if (!campaignId || state !== 'failed' || !can('messages:send')) return null;
  const retry = async () => {
    const said = await confirm({
      title: 'Try the failed messages again?',
      body: reason
        ? `All messages of this campaign that failed with “${reasonText(reason).title}” go back to waiting and are sent again.`
        : 'All failed messages of this campaign go back to waiting and are sent again. Those of which nobody knows whether they arrived are not touched.',
      confirmLabel: 'Try them again',
    });
    if (!said) return;
    setBusy(true);
    try {
      const { retried, remaining } = await api('POST /messages/retry', {
        body: { campaignId, ...(reason ? { reason } : {}) },
        idempotencyKey: crypto.randomUUID(),
      });
      await refresh('messages', 'campaigns');
      const more = remaining > 0 ? ` ${remaining} more follow in the background.` : '';
      tell.done(`${retried} ${retried === 1 ? 'message is' : 'messages are'} tried again.${more}`);
    } catch (error) {
      tell.problem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button
      variant="default"
      loading={busy}
      leftSection={<IconRefresh size={16} aria-hidden />}
      onClick={() => void retry()}
    >
      Try the failed ones again…
    </Button>
  );
}
