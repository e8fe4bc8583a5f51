import { Accordion, Badge, Button, Group, List, Stack, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Role } from '../../../../contract/team.ts';
import { api } from '../../../api.ts';
import { ask, refresh } from '../../../query.ts';
import { RouteLoading } from '../../../shell/fallbacks.tsx';
import { useCan } from '../../../shell/me.ts';
import { confirm, permissionInWords, ProblemAlert, tell } from '../../../ui/index.ts';
import { EditRole } from './edit-role.tsx';

export function Roles() {
  const can = useCan();
  const roles = useQuery(ask('GET /roles'));
  const [editing, setEditing] = useState<Role | 'new'>();
  if (roles.isPending) return <RouteLoading />;
  return (
    <Stack>
      <ProblemAlert problem={roles.error} onRetry={() => void roles.refetch()} />
      {editing && <EditRole role={editing === 'new' ? undefined : editing} onClose={() => setEditing(undefined)} />}
      {can('team:write') && (
        <Group justify="flex-end">
          <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setEditing('new')}>
            New role
          </Button>
        </Group>
      )}
      <Accordion variant="separated" order={2}>
        {roles.data?.data.map((role) => (
          <Accordion.Item key={role.key} value={role.key}>
            <Accordion.Control>
              <Group gap="sm">
                <Text fw={600}>{role.name}</Text>
                {!role.builtIn && (
                  <Badge variant="light" tt="none">
                    yours
                  </Badge>
                )}
                <Text size="sm" c="dimmed">
                  {role.members === 1 ? '1 person' : `${role.members} people`}
                </Text>
              </Group>
              <Text size="sm" c="dimmed">
                {role.description}
              </Text>
            </Accordion.Control>
            <Accordion.Panel>
              <List size="sm" style={{ columns: '220px' }}>
                {role.permissions.map((permission) => (
                  <List.Item key={permission}>{permissionInWords(permission)}</List.Item>
                ))}
              </List>
              {!role.builtIn && can('team:write') && (
                <Group mt="md">
                  <Button size="xs" variant="default" onClick={() => setEditing(role)}>
                    Change
                  </Button>
                  <Button size="xs" variant="default" disabled={role.members > 0} onClick={() => void remove(role)}>
                    Remove
                  </Button>
                </Group>
              )}
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
    </Stack>
  );
}

async function remove(role: Role): Promise<void> {
  const isSure = await confirm({
    title: `Remove the role ${role.name}?`,
    body: 'Nobody has it any more, so nobody loses anything.',
    confirmLabel: 'Remove role',
    danger: true,
  });
  if (!isSure) return;
  try {
    await api('DELETE /roles/:key', { params: { key: role.key } });
    await refresh('roles');
  } catch (error) {
    tell.problem(error);
  }
}
