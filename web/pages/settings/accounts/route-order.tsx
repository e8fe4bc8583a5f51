import { ActionIcon, Button, Group, Select, Stack, Text } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconX } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Account } from '../../../../contract/providers.ts';
import { api } from '../../../api.ts';
import { ask, refresh } from '../../../query.ts';
import { useCan } from '../../../shell/me.ts';
import type { Channel } from '../../../ui/channels.ts';
import { ProblemAlert, Section, tell } from '../../../ui/index.ts';

/** Moves one entry to another place of the list. */
export function moved<Item>(list: readonly Item[], from: number, to: number): Item[] {
  const rest = list.toSpliced(from, 1);
  return rest.toSpliced(to, 0, ...list.slice(from, from + 1));
}

/** Which account sends first, and which steps in when it cannot. */
export function RouteOrder({ channel, accounts }: { channel: Channel; accounts: readonly Account[] }) {
  const can = useCan();
  const route = useQuery(ask('GET /routes/:channel', { params: { channel } }));
  const [draft, setDraft] = useState<string[]>();
  const save = useMutation({
    mutationFn: (accountIds: string[]) => api('PUT /routes/:channel', { params: { channel }, body: { accountIds } }),
    onSuccess: async () => {
      await refresh('routes', 'providers', 'dashboard');
      setDraft(undefined);
      tell.done('The order is saved.');
    },
  });
  const ids = draft ?? route.data?.accountIds ?? [];
  const left = accounts.filter((account) => !ids.includes(account.id));
  const nameOf = (id: string) => accounts.find((account) => account.id === id)?.name ?? 'A removed account';
  return (
    <Section
      title="Order"
      description={
        channel === 'push'
          ? 'Each device is reached through the first account of its platform: list one for FCM, one for APNs, one for Web Push.'
          : 'Messages go through the first account. When it is down or asks for a pause, the next one steps in.'
      }
    >
      <Stack>
        <ProblemAlert problem={save.error ?? route.error} />
        {route.data && ids.length === 0 && <Text size="sm">No account is used: nothing can be sent.</Text>}
        <Stack component="ol" gap="xs" p={0} m={0} style={{ listStyle: 'none' }}>
          {ids.map((id, at) => (
            <Group component="li" key={id} gap="xs" wrap="nowrap">
              <Text size="sm" c="dimmed" w={20} ta="end">
                {at + 1}.
              </Text>
              <Text size="sm" fw={600} style={{ flex: 1, overflowWrap: 'anywhere' }}>
                {nameOf(id)}
              </Text>
              {can('providers:write') && (
                <OrderButtons
                  name={nameOf(id)}
                  isFirst={at === 0}
                  isLast={at === ids.length - 1}
                  onMove={(step) => setDraft(moved(ids, at, at + step))}
                  onRemove={() => setDraft(ids.toSpliced(at, 1))}
                />
              )}
            </Group>
          ))}
        </Stack>
        {can('providers:write') && (
          <Group align="flex-end" justify="space-between">
            <Select
              label="Add an account"
              placeholder={left.length > 0 ? 'Choose' : 'All are in use'}
              disabled={left.length === 0}
              data={left.map((account) => ({ value: account.id, label: account.name }))}
              value={null}
              onChange={(id) => id !== null && setDraft([...ids, id])}
            />
            {draft && (
              <Group gap="xs">
                <Button variant="default" onClick={() => setDraft(undefined)}>
                  Undo
                </Button>
                <Button loading={save.isPending} onClick={() => save.mutate(draft)}>
                  Save order
                </Button>
              </Group>
            )}
          </Group>
        )}
      </Stack>
    </Section>
  );
}

function OrderButtons(props: {
  name: string;
  isFirst: boolean;
  isLast: boolean;
  onMove: (step: -1 | 1) => void;
  onRemove: () => void;
}) {
  return (
    <>
      <ActionIcon
        variant="default"
        disabled={props.isFirst}
        onClick={() => props.onMove(-1)}
        aria-label={`Move ${props.name} up`}
      >
        <IconArrowUp size={16} aria-hidden />
      </ActionIcon>
      <ActionIcon
        variant="default"
        disabled={props.isLast}
        onClick={() => props.onMove(1)}
        aria-label={`Move ${props.name} down`}
      >
        <IconArrowDown size={16} aria-hidden />
      </ActionIcon>
      <ActionIcon variant="default" onClick={props.onRemove} aria-label={`Do not use ${props.name}`}>
        <IconX size={16} aria-hidden />
      </ActionIcon>
    </>
  );
}
