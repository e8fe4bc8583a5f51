import { Alert, Button, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconMailCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { api } from '../../api.ts';
import { ProblemAlert, TextLink, useSubmit } from '../../ui/index.ts';
import { Door } from './door.tsx';

export function ForgotPassword() {
  const [sentTo, setSentTo] = useState<string>();
  const form = useForm({
    initialValues: { email: '' },
    validate: { email: (value) => (value.trim() === '' ? 'Enter your e-mail address' : null) },
  });
  const { submit, busy, problem } = useSubmit(form, async ({ email }) => {
    await api('POST /auth/password/forgot', { body: { email: email.trim() } });
    setSentTo(email.trim());
  });
  return (
    <Door
      title="Reset your password"
      intro="We send a link that works for a short time to the address you sign in with."
    >
      {sentTo === undefined ? (
        <form onSubmit={submit} noValidate>
          <Stack>
            <ProblemAlert problem={problem} />
            <TextInput label="E-mail" type="email" autoComplete="username" autoFocus {...form.getInputProps('email')} />
            <Button type="submit" loading={busy} fullWidth>
              Send the link
            </Button>
          </Stack>
        </form>
      ) : (
        <Alert role="status" color="teal" icon={<IconMailCheck aria-hidden />} title="Look into your mailbox">
          If {sentTo} belongs to an account, a link is on its way. While no e-mail account is connected, it arrives in
          the sandbox inbox, where a colleague who is signed in can see it.
        </Alert>
      )}
      <TextLink to="/sign-in" size="sm">
        Back to sign-in
      </TextLink>
    </Door>
  );
}
