import { Button, Group, PasswordInput, SimpleGrid } from '@mantine/core';
import { useForm } from '@mantine/form';
import { api } from '../../../api.ts';
import { refresh } from '../../../query.ts';
import { checkNewPassword, NewPasswordInput } from '../../sign-in/new-password-input.tsx';
import { ProblemAlert, Section, tell, useSubmit } from '../../../ui/index.ts';

export function Password() {
  const form = useForm({
    initialValues: { currentPassword: '', newPassword: '' },
    validate: {
      currentPassword: (value) => (value === '' ? 'Enter your current password' : null),
      newPassword: checkNewPassword,
    },
  });
  const { submit, busy, problem } = useSubmit(form, async (values) => {
    await api('PUT /auth/password', { body: values });
    form.reset();
    await refresh('auth');
    tell.done('Your password is changed; other places were signed out.');
  });
  return (
    <Section title="Password" description="Changing it signs you out everywhere else.">
      <form onSubmit={submit} noValidate>
        <ProblemAlert problem={problem} />
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <PasswordInput
            label="Current password"
            description="The one you signed in with"
            autoComplete="current-password"
            visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the current password' }}
            {...form.getInputProps('currentPassword')}
          />
          <NewPasswordInput label="New password" {...form.getInputProps('newPassword')} />
        </SimpleGrid>
        <Group justify="flex-end" mt="md">
          <Button type="submit" variant="default" loading={busy}>
            Change password
          </Button>
        </Group>
      </form>
    </Section>
  );
}
