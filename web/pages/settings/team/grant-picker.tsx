import { Radio, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Permission } from '../../../../contract/permissions.ts';
import type { Role } from '../../../../contract/team.ts';
import { ask } from '../../../query.ts';
import { useCan } from '../../../shell/me.ts';
import { PermissionPicker, ProblemAlert } from '../../../ui/index.ts';

export type Grant = { role: string } | { permissions: Permission[] };

/** A role, or a set of permissions of one's own. Roles that can more than the chooser are not offered. */
export function GrantPicker(props: { value: Grant; onChange: (grant: Grant) => void }) {
  const can = useCan();
  const roles = useQuery(ask('GET /roles'));
  const offered = (roles.data?.data ?? []).filter((role) => role.permissions.every(can));
  const { value } = props;
  const chosen = 'role' in value ? value.role : 'custom';
  const choose = (key: string) =>
    props.onChange(key === 'custom' ? { permissions: startOf(offered, chosen) } : { role: key });
  return (
    <Stack>
      <ProblemAlert problem={roles.error} onRetry={() => void roles.refetch()} />
      <Radio.Group label="Role" value={chosen} onChange={choose}>
        <Stack gap="xs" mt="xs">
          {offered.map((role) => (
            <Radio key={role.key} value={role.key} label={role.name} description={role.description} />
          ))}
          <Radio value="custom" label="Own set of permissions" description="For this person alone." />
        </Stack>
      </Radio.Group>
      {'permissions' in value && (
        <>
          <PermissionPicker
            value={value.permissions}
            mayGive={can}
            onChange={(permissions) => props.onChange({ permissions })}
          />
          {value.permissions.length === 0 && (
            <Text size="sm" c="dimmed">
              Without any permission the person can sign in and see nothing.
            </Text>
          )}
        </>
      )}
    </Stack>
  );
}

/** An own set begins as the role that was chosen before. */
function startOf(roles: readonly Role[], key: string): Permission[] {
  return [...(roles.find((role) => role.key === key)?.permissions ?? [])];
}
