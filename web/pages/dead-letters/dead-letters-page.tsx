import { Button, Checkbox, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconMoodSmile } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { DeadLetter, DeadLetterFilter } from '../../../contract/dead-letters.ts';
import { api } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import { categoryCodes, categoryText, reasonText, stateText } from '../../reasons.ts';
import { useCan } from '../../shell/me.ts';
import { useStream } from '../../stream.ts';
import { channelNames, channels } from '../../ui/channels.ts';
import {
  confirm,
  DataTable,
  EmptyState,
  PageHeader,
  StateBadge,
  tell,
  TextLink,
  TimeText,
  useFormats,
  useUrlState,
  type Column,
  type Filter,
} from '../../ui/index.ts';
import { ResolveModal } from '../messages/resolve-modal.tsx';
import { isNarrowed, letterFilter } from './filter.rules.ts';
import { Groups } from './groups.tsx';

const states = ['failed', 'bounced', 'unknown'] as const;

const fixed: readonly Filter[] = [
  {
    kind: 'choice',
    key: 'state',
    label: 'State',
    choices: states.map((value) => ({ value, label: stateText(value).label })),
  },
  {
    kind: 'choice',
    key: 'category',
    label: 'Kind of trouble',
    choices: categoryCodes.map((value) => ({ value, label: categoryText(value) })),
  },
  {
    kind: 'choice',
    key: 'channel',
    label: 'Channel',
    choices: channelNames.map((value) => ({ value, label: channels[value].label })),
  },
  { kind: 'text', key: 'code', label: 'Code', placeholder: '5.1.1, 21211, …' },
  { kind: 'text', key: 'provider', label: 'Provider', placeholder: 'smtp, twilio, …' },
  { kind: 'text', key: 'domain', label: 'Domain', placeholder: 'example.com' },
  { kind: 'date', key: 'from', label: 'From' },
  { kind: 'date', key: 'to', label: 'To' },
  {
    kind: 'choice',
    key: 'discarded',
    label: 'Put aside',
    anyLabel: 'Not put aside',
    choices: [{ value: 'true', label: 'Only those put aside' }],
  },
];

function useFilters(): readonly Filter[] {
  const can = useCan();
  const campaigns = useQuery({ ...ask('GET /campaigns', { query: { limit: 100 } }), enabled: can('campaigns:read') });
  return useMemo(() => {
    const choices = (campaigns.data?.data ?? []).map((row) => ({ value: row.id, label: row.name }));
    return [...fixed, { kind: 'choice', key: 'campaignId', label: 'Campaign', choices }];
  }, [campaigns.data]);
}

export function DeadLettersPage() {
  const filters = useFilters();
  const url = useUrlState();
  const can = useCan();
  const { zone } = useFormats();
  const filter = letterFilter(url.values, zone);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { cursor, discarded } = url.values;
  const query = useQuery({
    ...ask('GET /dead-letters', {
      query: { ...filter, ...(cursor ? { cursor } : {}), ...(discarded === 'true' ? { discarded } : {}) },
    }),
    placeholderData: keepPreviousData,
  });
  useStream(['campaign'], () => void refresh('dead-letters'));
  const rows = query.data?.data ?? [];
  const shown = new Set(rows.map((row) => row.messageId));
  const selected = [...chosen].filter((id) => shown.has(id));
  const select = (id: string, isOn: boolean) =>
    setChosen(new Set(isOn ? [...selected, id] : selected.filter((one) => one !== id)));
  const columns = useColumns(can('messages:send'), new Set(selected), select);
  const isAllShown = selected.length > 0 && selected.length === rows.length;
  return (
    <Stack gap="lg">
      <PageHeader
        title="Dead letters"
        description="Messages that did not make it and wait for somebody: failed, bounced, or with no answer."
        actions={
          can('messages:send') &&
          rows.length > 0 &&
          discarded !== 'true' && (
            <Actions rows={rows} selected={selected} filter={filter} onDone={() => setChosen(new Set())} />
          )
        }
      />
      {discarded !== 'true' && <Groups filter={filter} url={url} />}
      <DataTable
        name="Dead letters"
        columns={columns}
        query={query}
        rowKey={(row) => row.messageId}
        url={url}
        filters={filters}
        tools={
          can('messages:send') &&
          rows.length > 0 && (
            <Button variant="default" onClick={() => setChosen(isAllShown ? new Set<string>() : shown)}>
              {isAllShown ? 'Select none' : 'Select all shown'}
            </Button>
          )
        }
        empty={
          <EmptyState icon={IconMoodSmile} title="No dead letters">
            Every message that was sent has arrived, or is still on its way. What fails for good shows up here with its
            reason, to be tried again or put aside.
          </EmptyState>
        }
      />
    </Stack>
  );
}

function useColumns(
  isActive: boolean,
  selected: ReadonlySet<string>,
  select: (id: string, isOn: boolean) => void,
): readonly Column<DeadLetter>[] {
  return useMemo(
    () => [
      {
        key: 'to',
        header: 'To',
        cell: (row) => (
          <span style={{ display: 'inline-flex', gap: 10, alignItems: 'center' }}>
            {isActive && (
              <Checkbox
                aria-label={`Select the message to ${row.to ?? 'an erased contact'}`}
                checked={selected.has(row.messageId)}
                onChange={(event) => select(row.messageId, event.currentTarget.checked)}
              />
            )}
            <TextLink to="/messages/$id" params={{ id: row.messageId }}>
              {row.to ?? 'Erased'}
            </TextLink>
          </span>
        ),
      },
      {
        key: 'state',
        header: 'State',
        cell: (row) => <StateBadge state={row.state} label={stateText(row.state).label} />,
      },
      { key: 'why', header: 'Why', cell: (row) => <Why row={row} /> },
      { key: 'account', header: 'Account', cell: (row) => row.accountName ?? row.provider ?? '—' },
      { key: 'domain', header: 'Domain', cell: (row) => row.domain ?? '—', optional: true },
      { key: 'channel', header: 'Channel', cell: (row) => channels[row.channel].label, optional: true },
      {
        key: 'campaign',
        header: 'Campaign',
        cell: (row) =>
          row.campaignId === null ? (
            '—'
          ) : (
            <TextLink to="/campaigns/$id" params={{ id: row.campaignId }}>
              {row.campaignName ?? 'Campaign'}
            </TextLink>
          ),
      },
      { key: 'tries', header: 'Tries', align: 'end', cell: (row) => row.tries, optional: true },
      { key: 'at', header: 'When', cell: (row) => <TimeText at={row.at} /> },
    ],
    [isActive, selected, select],
  );
}

/** Its reason in our words, and what the provider said with what that means. */
function Why({ row }: { row: DeadLetter }) {
  const said = [row.code, row.meaning].filter(Boolean).join(': ');
  return (
    <>
      {row.reason === null ? categoryText(row.category) : reasonText(row.reason).title}
      {said !== '' && (
        <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {said}
        </Text>
      )}
      {row.askAt !== null && (
        <Text size="sm" c="dimmed">
          Looked into by itself <TimeText at={row.askAt} />
        </Text>
      )}
    </>
  );
}

function Actions(props: {
  rows: readonly DeadLetter[];
  selected: readonly string[];
  filter: DeadLetterFilter;
  onDone: () => void;
}) {
  const [isResolving, resolving] = useDisclosure();
  const [busy, setBusy] = useState(false);
  const { selected, filter, rows } = props;
  const isSome = selected.length > 0;
  const which = isSome ? { messageIds: [...selected] } : { filter };
  const meant = isSome ? `${selected.length} selected` : isNarrowed(filter) ? 'all that match' : 'all';
  const within = rows.filter((row) => !isSome || selected.includes(row.messageId));
  const act = async (path: 'redrive' | 'discard') => {
    if (!(await confirm(path === 'redrive' ? redriveQuestion(meant) : discardQuestion(meant)))) return;
    setBusy(true);
    const given = { body: which, idempotencyKey: crypto.randomUUID() };
    try {
      const { done, remaining } =
        path === 'redrive'
          ? await api('POST /dead-letters/redrive', given)
          : await api('POST /dead-letters/discard', given);
      props.onDone();
      await refresh('dead-letters', 'messages', 'campaigns', 'queues');
      const what = path === 'redrive' ? 'tried again' : 'put aside';
      tell.done(
        `${done} ${done === 1 ? 'message is' : 'messages are'} ${what}.${remaining > 0 ? ` ${remaining} more follow in the background.` : ''}`,
      );
    } catch (error) {
      tell.problem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      {within.some((row) => row.state === 'unknown') && (
        <Button variant="default" onClick={resolving.open}>
          Decide about those in doubt…
        </Button>
      )}
      <Button variant="default" loading={busy} onClick={() => void act('discard')}>
        Put {meant} aside…
      </Button>
      {within.some((row) => row.state === 'failed') && (
        <Button loading={busy} onClick={() => void act('redrive')}>
          Try {meant} again…
        </Button>
      )}
      {isResolving && <ResolveModal which={which} isMany onClose={resolving.close} />}
    </>
  );
}

const redriveQuestion = (meant: string) => ({
  title: 'Try them again?',
  body: `Of ${meant}, those that failed go back to waiting and are sent again. Those that bounced, and those of which nobody knows whether they arrived, are not touched.`,
  confirmLabel: 'Try them again',
});

const discardQuestion = (meant: string) => ({
  title: 'Put them aside?',
  body: `The messages (${meant}) stay as they are and are no longer shown here. One that is tried again and fails comes back.`,
  confirmLabel: 'Put them aside',
  danger: true,
});
