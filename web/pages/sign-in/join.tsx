import { Button, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { api } from '../../api.ts';
import { ask } from '../../query.ts';
import { RouteLoading } from '../../shell/fallbacks.tsx';
import { ProblemAlert, TextLink, useSubmit } from '../../ui/index.ts';
import { Door } from './door.tsx';
import { useEnter } from './enter.ts';
import { checkNewPassword, NewPasswordInput } from './new-password-input.tsx';

const route = getRouteApi('/join/$token');

/** Where an invitation's link leads. */
export function Join() {
  const { token } = route.useParams();
  const enter = useEnter();
  const invitation = useQuery(ask('GET /auth/invitations/:token', { params: { token } }));
  const form = useForm({
    initialValues: { name: '', password: '' },
    validate: {
      name: (value) => (value.trim() === '' ? 'Enter your name' : null),
      password: checkNewPassword,
    },
  });
  const { submit, busy, problem } = useSubmit(form, async (values) => {
    await api('POST /auth/invitations/:token/accept', { params: { token }, body: values });
    await enter();
  });

  if (invitation.isPending) return <RouteLoading />;
  if (invitation.error) {
    return (
      <Door title="This invitation does not work">
        <ProblemAlert problem={invitation.error} />
        <Text size="sm">Ask the person who invited you for a new link.</Text>
        <TextLink to="/sign-in" size="sm">
          I already have an account
        </TextLink>
      </Door>
    );
  }
  const { workspaceName, invitedBy, roleName, email } = invitation.data;
  return (
    <Door
      title={`Join ${workspaceName}`}
      intro={`${invitedBy} invites you as ${roleName}. You will sign in as ${email}.`}
    >
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert problem={problem} />
          <TextInput label="Your name" autoComplete="name" autoFocus {...form.getInputProps('name')} />
          <NewPasswordInput {...form.getInputProps('password')} />
          <Button type="submit" loading={busy} fullWidth>
            Join
          </Button>
        </Stack>
      </form>
    </Door>
  );
}
