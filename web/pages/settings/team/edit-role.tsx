import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import type { Permission } from '../../../../contract/permissions.ts';
import type { Role } from '../../../../contract/team.ts';
import { api } from '../../../api.ts';
import { refresh } from '../../../query.ts';
import { useCan } from '../../../shell/me.ts';
import { PermissionPicker, ProblemAlert, tell, useSubmit } from '../../../ui/index.ts';
import { keyFrom } from '../topics/key-from.ts';

/** A permission set of the workspace: made new, or changed. */
export function EditRole({ role, onClose }: { role: Role | undefined; onClose: () => void }) {
  const can = useCan();
  const initialPermissions: Permission[] = role ? [...role.permissions] : [];
  const form = useForm({
    initialValues: { name: role?.name ?? '', description: role?.description ?? '', permissions: initialPermissions },
    validate: {
      name: (value) => (value.trim() === '' ? 'Name the role' : null),
      permissions: (value) => (value.length === 0 ? 'Choose at least one permission' : null),
    },
  });
  const { submit, busy, problem } = useSubmit(form, async (values) => {
    if (role) await api('PUT /roles/:key', { params: { key: role.key }, body: values });
    else await api('POST /roles', { body: { key: keyFrom(values.name, '-', 41) || 'role', ...values } });
    await refresh('roles', 'users', 'me');
    tell.done(`The role ${values.name} is saved.`);
    onClose();
  });
  const permissionError = form.errors['permissions'];
  return (
    <Modal opened onClose={onClose} title={role ? `Change ${role.name}` : 'New role'} size="lg">
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert problem={problem} />
          <TextInput label="Name" data-autofocus {...form.getInputProps('name')} />
          <TextInput label="What it is for" {...form.getInputProps('description')} />
          <PermissionPicker
            value={form.getValues().permissions}
            onChange={(permissions) => form.setFieldValue('permissions', permissions)}
            mayGive={can}
            error={typeof permissionError === 'string' ? permissionError : undefined}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={busy}>
              Save role
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
