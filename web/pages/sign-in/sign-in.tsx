import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Navigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../../api.ts';
import { ask } from '../../query.ts';
import { ProblemAlert, TextLink, useSubmit } from '../../ui/index.ts';
import { Door } from './door.tsx';
import { useEnter } from './enter.ts';
import { SecondFactor } from './second-factor.tsx';

const route = getRouteApi('/sign-in');

export function SignIn() {
  const { next } = route.useSearch();
  const enter = useEnter();
  const setup = useQuery(ask('GET /auth/setup'));
  const [needsCode, setNeedsCode] = useState(false);
  const form = useForm({
    initialValues: { email: '', password: '' },
    validate: {
      email: (value) => (value.trim() === '' ? 'Enter your e-mail address' : null),
      password: (value) => (value === '' ? 'Enter your password' : null),
    },
  });
  const { submit, busy, problem } = useSubmit(form, async ({ email, password }) => {
    const { twoFactorRequired } = await api('POST /auth/sign-in', { body: { email: email.trim(), password } });
    if (twoFactorRequired) setNeedsCode(true);
    else await enter(next);
  });

  if (setup.data?.needed) return <Navigate to="/first-run" replace />;
  if (needsCode) return <SecondFactor onDone={() => enter(next)} onBack={() => setNeedsCode(false)} />;
  return (
    <Door title="Sign in">
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert problem={problem} />
          <TextInput label="E-mail" type="email" autoComplete="username" autoFocus {...form.getInputProps('email')} />
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
            {...form.getInputProps('password')}
          />
          <Button type="submit" loading={busy} fullWidth>
            Sign in
          </Button>
          <TextLink to="/forgot-password" size="sm">
            I forgot my password
          </TextLink>
        </Stack>
      </form>
    </Door>
  );
}
