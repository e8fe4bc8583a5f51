import { Alert, Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import type { Permission } from '../../../../contract/permissions.ts';
import { api, type Answer } from '../../../api.ts';
import { refresh } from '../../../query.ts';
import { useCan } from '../../../shell/me.ts';
import { CopyText, PermissionPicker, ProblemAlert, useSubmit } from '../../../ui/index.ts';

const lifetimes = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: '1 year' },
  { value: 'never', label: 'No expiry' },
];
const dayMs = 86_400_000;

export function NewKey({ onClose }: { onClose: () => void }) {
  const can = useCan();
  const [made, setMade] = useState<Answer<'POST /api-keys'>>();
  const none: Permission[] = [];
  const form = useForm({
    initialValues: { name: '', lifetime: '365', scopes: none },
    validate: {
      name: (value) => (value.trim() === '' ? 'Name the program that will use it' : null),
      scopes: (value) => (value.length === 0 ? 'Choose at least one permission' : null),
    },
  });
  const { submit, busy, problem } = useSubmit(form, async ({ name, lifetime, scopes }) => {
    const expiresAt = lifetime === 'never' ? null : new Date(Date.now() + Number(lifetime) * dayMs).toISOString();
    setMade(await api('POST /api-keys', { body: { name, scopes, expiresAt } }));
    await refresh('api-keys');
  });
  const scopeError = form.errors['scopes'];
  return (
    <Modal
      opened
      onClose={onClose}
      title={made ? 'Copy the key now' : 'New API key'}
      size="lg"
      closeOnClickOutside={made === undefined}
    >
      {made ? (
        <Stack>
          <Alert color="yellow" role="status" title="This is the only time it is shown">
            Keep it where your program keeps secrets. Parley stores only a hash of it; a lost key is replaced by a new
            one.
          </Alert>
          <CopyText value={made.secret} label="the key" />
          <Button onClick={onClose}>I have kept it</Button>
        </Stack>
      ) : (
        <form onSubmit={submit} noValidate>
          <Stack>
            <ProblemAlert problem={problem} />
            <TextInput
              label="Name"
              description="The program that uses it, e.g. “Shop checkout”"
              data-autofocus
              {...form.getInputProps('name')}
            />
            <Select
              label="Works for"
              data={lifetimes}
              allowDeselect={false}
              maw={240}
              {...form.getInputProps('lifetime')}
            />
            <PermissionPicker
              value={form.getValues().scopes}
              onChange={(scopes) => form.setFieldValue('scopes', scopes)}
              mayGive={can}
              error={typeof scopeError === 'string' ? scopeError : undefined}
            />
            <Group justify="flex-end">
              <Button type="submit" loading={busy}>
                Make the key
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
