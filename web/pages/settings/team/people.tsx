import { ActionIcon, Menu, Stack, Text } from '@mantine/core';
import { IconDots, IconLock, IconLockOpen, IconUsers, IconUserShield } from '@tabler/icons-react';
import { useState } from 'react';
import type { User } from '../../../../contract/team.ts';
import { api } from '../../../api.ts';
import { useList } from '../../../list.ts';
import { refresh } from '../../../query.ts';
import { useCan, useMe } from '../../../shell/me.ts';
import { confirm, DataTable, EmptyState, StateBadge, tell, TimeText, type UrlStateHandle } from '../../../ui/index.ts';
import { ChangeRole } from './change-role.tsx';

export function People({ url }: { url: UrlStateHandle }) {
  const can = useCan();
  const me = useMe();
  const users = useList('GET /users', url);
  const [changing, setChanging] = useState<User>();
  return (
    <>
      {changing && <ChangeRole user={changing} onClose={() => setChanging(undefined)} />}
      <DataTable
        name="People"
        url={url}
        query={users}
        rowKey={(user) => user.id}
        empty={
          <EmptyState icon={IconUsers} title="Nobody here yet">
            Invite the people you work with.
          </EmptyState>
        }
        columns={[
          {
            key: 'name',
            header: 'Name',
            cell: (user) => (
              <Stack gap={0}>
                <Text size="sm" fw={600}>
                  {user.name}
                  {user.id === me.user?.id && ' (you)'}
                </Text>
                <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                  {user.email}
                </Text>
              </Stack>
            ),
          },
          { key: 'role', header: 'Role', cell: (user) => user.roleName },
          {
            key: 'state',
            header: 'Access',
            cell: (user) => (
              <StateBadge
                state={user.disabledAt ? 'disabled' : 'active'}
                label={user.disabledAt ? 'shut out' : 'active'}
              />
            ),
          },
          {
            key: 'twoFactor',
            header: 'Two-factor',
            cell: (user) => (
              <StateBadge
                state={user.twoFactorEnabled ? 'ok' : 'warning'}
                label={user.twoFactorEnabled ? 'on' : 'off'}
              />
            ),
          },
          { key: 'seen', header: 'Last seen', cell: (user) => <TimeText at={user.lastSeenAt} relative /> },
          { key: 'since', header: 'Since', cell: (user) => <TimeText at={user.createdAt} />, optional: true },
          {
            key: 'actions',
            header: 'Actions',
            align: 'end',
            cell: (user) =>
              can('team:write') && (
                <PersonActions user={user} isMe={user.id === me.user?.id} onRole={() => setChanging(user)} />
              ),
          },
        ]}
      />
    </>
  );
}

function PersonActions({ user, isMe, onRole }: { user: User; isMe: boolean; onRole: () => void }) {
  const setDisabled = async (disabled: boolean) => {
    if (disabled) {
      const isSure = await confirm({
        title: `Shut ${user.name} out?`,
        body: 'They are signed out everywhere at once and cannot sign in until you let them in again. What they did stays.',
        confirmLabel: 'Shut out',
        danger: true,
      });
      if (!isSure) return;
    }
    try {
      await api('PATCH /users/:id', { params: { id: user.id }, body: { disabled } });
      await refresh('users');
      tell.done(disabled ? `${user.name} is shut out.` : `${user.name} can sign in again.`);
    } catch (error) {
      tell.problem(error);
    }
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${user.name}`}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconUserShield size={16} aria-hidden />} onClick={onRole}>
          Change role
        </Menu.Item>
        {!isMe && user.disabledAt === null && (
          <Menu.Item
            color="red"
            leftSection={<IconLock size={16} aria-hidden />}
            onClick={() => void setDisabled(true)}
          >
            Shut out
          </Menu.Item>
        )}
        {user.disabledAt !== null && (
          <Menu.Item leftSection={<IconLockOpen size={16} aria-hidden />} onClick={() => void setDisabled(false)}>
            Let in again
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
