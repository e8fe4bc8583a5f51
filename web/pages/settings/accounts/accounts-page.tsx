import { SegmentedControl, Stack, Text } from '@mantine/core';
import { IconPlus, IconServer } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Account } from '../../../../contract/providers.ts';
import { ask } from '../../../query.ts';
import { useCan } from '../../../shell/me.ts';
import { channelNames, channels } from '../../../ui/channels.ts';
import {
  DataTable,
  EmptyState,
  LinkButton,
  PageHeader,
  TextLink,
  TimeText,
  useFormats,
  useUrlState,
} from '../../../ui/index.ts';
import { LaneBadge } from './lane.tsx';
import { RouteOrder } from './route-order.tsx';

export function Accounts() {
  const can = useCan();
  const url = useUrlState();
  const formats = useFormats();
  const { cursor, channel: chosen } = url.values;
  const channel = channelNames.find((one) => one === chosen) ?? 'email';
  const kinds = useQuery({ ...ask('GET /providers/kinds'), staleTime: Infinity });
  const titleOf = (kind: string) => kinds.data?.data.find((one) => one.kind === kind)?.title ?? kind;
  const accounts = useQuery({
    ...ask('GET /providers', { query: { channel, ...(cursor ? { cursor } : {}) } }),
    placeholderData: keepPreviousData,
  });
  const all = useQuery(ask('GET /providers', { query: { channel, limit: 200 } }));
  const add = can('providers:write') && (
    <LinkButton
      to="/settings/accounts/new"
      search={{ channel } as never}
      leftSection={<IconPlus size={18} aria-hidden />}
    >
      New account
    </LinkButton>
  );
  return (
    <>
      <PageHeader
        title="Accounts"
        description="Through which vendors and servers your messages leave, with whose name, and how fast."
        actions={add}
      />
      <Stack gap="lg">
        <SegmentedControl
          aria-label="Channel"
          style={{ alignSelf: 'flex-start', flexWrap: 'wrap' }}
          data={channelNames.map((one) => ({ value: one, label: channels[one].label }))}
          value={channel}
          onChange={(next) => url.set({ channel: next === 'email' ? undefined : next, cursor: undefined })}
        />
        <DataTable
          name={`Accounts: ${channels[channel].label}`}
          url={url}
          query={accounts}
          rowKey={(account) => account.id}
          empty={
            <EmptyState icon={IconServer} title="No account" action={add}>
              {channel === 'email'
                ? 'Connect your mail provider, or a sandbox to try things out.'
                : 'Connect a vendor, or try one in the sandbox inbox without an account of your own.'}
            </EmptyState>
          }
          columns={[
            {
              key: 'name',
              header: 'Account',
              cell: (account) => (
                <TextLink to="/settings/accounts/$id" params={{ id: account.id }} fw={600}>
                  {account.name}
                </TextLink>
              ),
            },
            {
              key: 'kind',
              header: 'Kind',
              cell: (account) => (
                <Stack gap={0}>
                  <Text size="sm">{titleOf(account.kind)}</Text>
                  {typeof account.settings['host'] === 'string' && (
                    <Text size="sm" c="dimmed">
                      {account.settings['host']}:{String(account.settings['port'])}
                    </Text>
                  )}
                </Stack>
              ),
            },
            ...(channel === 'email'
              ? [{ key: 'from', header: 'From', cell: (account: Account) => account.sender.from?.email ?? '—' }]
              : []),
            { key: 'limit', header: 'Limits', cell: (account) => limitsInWords(account.limits, formats.number) },
            { key: 'state', header: 'State', cell: (account) => <LaneBadge accountId={account.id} /> },
            {
              key: 'changed',
              header: 'Changed',
              cell: (account) => <TimeText at={account.updatedAt} relative />,
              optional: true,
            },
          ]}
        />
        {all.data && <RouteOrder key={channel} channel={channel} accounts={all.data.data} />}
      </Stack>
    </>
  );
}

const units = {
  perSecond: 'per second',
  perMinute: 'per minute',
  perHour: 'per hour',
  perDay: 'per day',
  perRecipientPerDay: 'per person and day',
};

function limitsInWords(
  limits: Partial<Record<keyof typeof units, number | undefined>>,
  write: (value: number) => string,
): string {
  const set = Object.entries(units).flatMap(([key, words]) => {
    const limit = limits[key as keyof typeof units];
    return limit === undefined ? [] : [`${write(limit)} ${words}`];
  });
  return set.length > 0 ? set.join(', ') : 'none';
}
