import { Button, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { Navigate } from '@tanstack/react-router';
import { api } from '../../api.ts';
import { ask } from '../../query.ts';
import { ProblemAlert, useSubmit } from '../../ui/index.ts';
import { Door } from './door.tsx';
import { useEnter } from './enter.ts';
import { checkNewPassword, NewPasswordInput } from './new-password-input.tsx';

/** The first minute: who owns this installation, and what the workspace is called. */
export function FirstRun() {
  const enter = useEnter();
  const setup = useQuery(ask('GET /auth/setup'));
  const form = useForm({
    initialValues: { workspaceName: '', name: '', email: '', password: '' },
    validate: {
      workspaceName: (value) => (value.trim() === '' ? 'Name your company or team' : null),
      name: (value) => (value.trim() === '' ? 'Enter your name' : null),
      email: (value) => (/^\S+@\S+$/.test(value.trim()) ? null : 'Enter your e-mail address'),
      password: checkNewPassword,
    },
  });
  const { submit, busy, problem } = useSubmit(form, async (values) => {
    await api('POST /auth/setup', { body: values });
    await enter();
  });

  if (setup.data?.needed === false && !busy) return <Navigate to="/sign-in" replace />;
  return (
    <Door
      title="Welcome to Parley"
      intro="Create the owner of this installation. You can invite your team and connect an e-mail account later; until then everything goes to a sandbox."
    >
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert problem={problem ?? setup.error} />
          <TextInput
            label="Company or team"
            description="What your contacts know you as"
            autoComplete="organization"
            autoFocus
            {...form.getInputProps('workspaceName')}
          />
          <TextInput label="Your name" autoComplete="name" {...form.getInputProps('name')} />
          <TextInput label="Your e-mail" type="email" autoComplete="username" {...form.getInputProps('email')} />
          <NewPasswordInput {...form.getInputProps('password')} />
          <Button type="submit" loading={busy} fullWidth>
            Create and sign in
          </Button>
        </Stack>
      </form>
    </Door>
  );
}
