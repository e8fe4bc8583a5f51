import { Stack, Text } from '@mantine/core';
import { IconPlus, IconServer } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { ask } from '../../../query.ts';
import { useCan } from '../../../shell/me.ts';
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
  const { cursor } = url.values;
  const accounts = useQuery({
    ...ask('GET /providers', { query: { channel: 'email', ...(cursor ? { cursor } : {}) } }),
    placeholderData: keepPreviousData,
  });
  const all = useQuery(ask('GET /providers', { query: { channel: 'email', limit: 200 } }));
  const add = can('providers:write') && (
    <LinkButton to="/settings/accounts/new" leftSection={<IconPlus size={18} aria-hidden />}>
      New account
    </LinkButton>
  );
  return (
    <>
      <PageHeader
        title="E-mail accounts"
        description="Through which servers your mail leaves, with whose name, and how fast."
        actions={add}
      />
      <Stack gap="lg">
        <DataTable
          name="E-mail accounts"
          url={url}
          query={accounts}
          rowKey={(account) => account.id}
          empty={
            <EmptyState icon={IconServer} title="No account" action={add}>
              Connect the SMTP server of your mail provider, or a sandbox to try things out.
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
                  <Text size="sm">{kinds[account.kind] ?? account.kind}</Text>
                  {'host' in account.settings && (
                    <Text size="sm" c="dimmed">
                      {account.settings.host}:{account.settings.port}
                    </Text>
                  )}
                </Stack>
              ),
            },
            { key: 'from', header: 'From', cell: (account) => account.sender.from?.email ?? '—' },
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
        {all.data && <RouteOrder accounts={all.data.data} />}
      </Stack>
    </>
  );
}

const kinds: Readonly<Record<string, string>> = { smtp: 'SMTP server', sandbox: 'Sandbox' };

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
