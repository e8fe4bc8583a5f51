import { ActionIcon, Box, Button, Card, Group, Menu, Skeleton, Stack, Text } from '@mantine/core';
import { IconDotsVertical, IconInbox, IconLock, IconMailOpened } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { SandboxMessage } from '../../../contract/sandbox.ts';
import { api } from '../../api.ts';
import { keyOf, refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { useStream } from '../../stream.ts';
import {
  confirm,
  EmptyState,
  FilterBar,
  LinkButton,
  PageHeader,
  ProblemAlert,
  tell,
  TimeText,
  useUrlState,
  type Filter,
  type UrlStateHandle,
} from '../../ui/index.ts';
import { channels, type Channel } from '../../ui/channels.ts';
import { MailReader } from './mail-reader.tsx';
import classes from './sandbox-page.module.css';
import { TryVendor } from './try-vendor.tsx';

const filters: readonly Filter[] = [
  { kind: 'text', key: 'to', label: 'Recipient', placeholder: 'Whole address or number' },
  {
    kind: 'choice',
    key: 'channel',
    label: 'Channel',
    choices: Object.entries(channels).map(([value, { label }]) => ({ value, label })),
  },
  { kind: 'text', key: 'vendor', label: 'Vendor', placeholder: 'smtp, twilio, …' },
];

/** What narrows the list; kept while one of it is read. */
interface Narrowed {
  readonly to?: string;
  readonly channel?: Channel;
  readonly vendor?: string;
}

function narrowed({ to, channel, vendor }: Readonly<Record<string, string | undefined>>): Narrowed {
  return {
    ...(to ? { to } : {}),
    ...(channel && channel in channels ? { channel: channel as Channel } : {}),
    ...(vendor ? { vendor } : {}),
  };
}
const pollMs = 5000;

function useCaught(query: Narrowed) {
  const result = useInfiniteQuery({
    queryKey: [...keyOf('GET /sandbox/messages', { query }), 'pages'],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      api('GET /sandbox/messages', {
        query: { limit: 50, ...query, ...(pageParam ? { cursor: pageParam } : {}) },
        signal,
      }),
    getNextPageParam: (last) => last.nextCursor,
    // Only the first page is asked again by itself: with more of them loaded the news has to do.
    refetchInterval: (known) => ((known.state.data?.pages.length ?? 0) > 1 ? false : pollMs),
  });
  useStream(['sandbox'], () => {
    if ((result.data?.pages.length ?? 0) <= 1) void result.refetch();
  });
  return result;
}

/** What the sandbox caught, read as a person would read it: the list on the left, the mail on the right. */
export function SandboxPage() {
  const url = useUrlState();
  const { message: chosenId } = url.values;
  const by = narrowed(url.values);
  const isNarrowed = Object.keys(by).length > 0;
  const caught = useCaught(by);
  const rows = caught.data?.pages.flatMap((page) => page.data) ?? [];
  const isNothing = caught.data !== undefined && rows.length === 0 && !isNarrowed;
  return (
    <>
      <PageHeader
        title="Sandbox inbox"
        description="Messages that were caught instead of sent. Nothing here has left this server, and what you do to one counts as if its reader had done it."
        actions={
          <Group gap="xs">
            <TryVendor />
            <ClearMenu isEmpty={isNothing} url={url} />
          </Group>
        }
      />
      <Box mb="md">
        <FilterBar filters={filters} url={url} />
      </Box>
      <ProblemAlert problem={caught.error} onRetry={() => void caught.refetch()} />
      {isNothing ? (
        <Card withBorder>
          <EmptyState
            icon={IconInbox}
            title="Nothing caught yet"
            action={<LinkButton to="/campaigns">Go to the campaigns</LinkButton>}
          >
            Send a test from a template, or start a campaign while the sandbox is the e-mail account: it arrives here
            within a second.
          </EmptyState>
        </Card>
      ) : (
        <div className={classes['panes'] ?? ''} data-reading={chosenId ? 'yes' : 'no'}>
          <Card withBorder padding={0} className={classes['list'] ?? ''} component="nav" aria-label="Caught messages">
            {caught.isPending && <Skeleton height={260} m="md" />}
            {caught.data && rows.length === 0 && (
              <Text p="md" c="dimmed">
                Nothing like this was caught.
              </Text>
            )}
            {rows.map((row) => (
              <Row key={row.id} row={row} isChosen={row.id === chosenId} by={by} />
            ))}
            {caught.hasNextPage && (
              <Button
                variant="subtle"
                m="sm"
                loading={caught.isFetchingNextPage}
                onClick={() => void caught.fetchNextPage()}
              >
                Show earlier
              </Button>
            )}
          </Card>
          <div className={classes['reader'] ?? ''}>
            {chosenId ? (
              <MailReader key={chosenId} id={chosenId} onBack={() => url.set({ message: undefined })} />
            ) : (
              <Card withBorder>
                <EmptyState icon={IconMailOpened} title="Choose a message">
                  It opens here, as its reader would see it.
                </EmptyState>
              </Card>
            )}
          </div>
        </div>
      )}
    </>
  );
}

function Row({ row, isChosen, by }: { row: SandboxMessage; isChosen: boolean; by: Narrowed }) {
  const { label, icon: Icon } = channels[row.channel];
  return (
    <Link
      to="/sandbox"
      search={{ ...by, message: row.id } as never}
      resetScroll={false}
      className={classes['row'] ?? ''}
      {...(isChosen ? { 'aria-current': 'true' as const } : {})}
    >
      <Stack gap={2}>
        <Group justify="space-between" wrap="nowrap" gap="xs">
          <Group gap={6} wrap="nowrap" miw={0}>
            <Icon size={16} aria-label={label} role="img" style={{ flexShrink: 0 }} />
            <Text size="sm" fw={600} truncate>
              {row.to}
            </Text>
          </Group>
          <Text size="xs" c="dimmed" component="span">
            <TimeText at={row.receivedAt} relative />
          </Text>
        </Group>
        <Text size="sm" truncate>
          {row.subject ?? (row.channel === 'email' ? 'Without a subject' : 'Without text')}
        </Text>
        {row.hidden && (
          <Group gap={4} wrap="nowrap" c="dimmed">
            <IconLock size={14} aria-hidden />
            <Text size="xs">Only for the person concerned</Text>
          </Group>
        )}
        <Text size="xs" c="dimmed" truncate>
          {row.from === '' ? row.vendor : `from ${row.from}`}
        </Text>
      </Stack>
    </Link>
  );
}

function ClearMenu({ isEmpty, url }: { isEmpty: boolean; url: UrlStateHandle }) {
  const can = useCan();
  if (isEmpty || !can('sandbox:write')) return null;
  const clear = async () => {
    const said = await confirm({
      title: 'Empty the sandbox?',
      body: 'Every caught message is deleted. The ledger and its numbers stay as they are.',
      confirmLabel: 'Empty it',
      danger: true,
    });
    if (!said) return;
    try {
      const { deleted } = await api('DELETE /sandbox/messages');
      url.set({ message: undefined });
      await refresh('sandbox');
      tell.done(`${deleted} ${deleted === 1 ? 'message' : 'messages'} deleted.`);
    } catch (error) {
      tell.problem(error);
    }
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label="More for the sandbox">
          <IconDotsVertical size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item color="red" onClick={() => void clear()}>
          Empty the sandbox…
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
