import { Button, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { api } from '../../api.ts';
import { ProblemAlert, tell, TextLink, useSubmit } from '../../ui/index.ts';
import { Door } from './door.tsx';
import { checkNewPassword, NewPasswordInput } from './new-password-input.tsx';

const route = getRouteApi('/reset-password/$token');

export function ResetPassword() {
  const { token } = route.useParams();
  const navigate = useNavigate();
  const form = useForm({ initialValues: { password: '' }, validate: { password: checkNewPassword } });
  const { submit, busy, problem } = useSubmit(form, async ({ password }) => {
    await api('POST /auth/password/reset', { body: { token, password } });
    tell.done('Your new password is set. Sign in with it.');
    await navigate({ to: '/sign-in' });
  });
  return (
    <Door title="Choose a new password" intro="You will be signed out everywhere else.">
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert problem={problem} />
          <NewPasswordInput label="New password" autoFocus {...form.getInputProps('password')} />
          <Button type="submit" loading={busy} fullWidth>
            Set the password
          </Button>
          <TextLink to="/forgot-password" size="sm">
            Ask for another link
          </TextLink>
        </Stack>
      </form>
    </Door>
  );
}
