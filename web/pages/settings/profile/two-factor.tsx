import { Button, Modal, PasswordInput, Stack, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import { api, type Answer } from '../../../api.ts';
import { refresh } from '../../../query.ts';
import { ProblemAlert, Section, StateBadge, tell, useSubmit } from '../../../ui/index.ts';
import { Enrolment } from './enrolment.tsx';

type Secrets = Answer<'POST /auth/two-factor/enable'>;

/** The second factor: on or off, and the way from one to the other. */
export function TwoFactor({ isOn }: { isOn: boolean }) {
  const [isOpen, { open, close }] = useDisclosure();
  const [secrets, setSecrets] = useState<Secrets>();
  const end = () => {
    setSecrets(undefined);
    close();
  };
  const enable = async (password: string) =>
    setSecrets(await api('POST /auth/two-factor/enable', { body: { password } }));
  const disable = async (password: string) => {
    await api('POST /auth/two-factor/disable', { body: { password } });
    await refresh('me');
    end();
    tell.done('Two-factor sign-in is off.');
  };
  return (
    <>
      <Section
        title="Two-factor sign-in"
        description="Besides your password, signing in asks for a code from an app on your phone. A stolen password alone is then worthless."
        actions={
          <>
            <StateBadge state={isOn ? 'active' : 'idle'} label={isOn ? 'On' : 'Off'} />
            <Button variant={isOn ? 'default' : 'filled'} onClick={open}>
              {isOn ? 'Turn off' : 'Turn on'}
            </Button>
          </>
        }
      />
      <Modal
        opened={isOpen}
        onClose={end}
        title={isOn ? 'Turn off two-factor sign-in' : 'Turn on two-factor sign-in'}
        closeOnClickOutside={secrets === undefined}
        size="lg"
      >
        {secrets ? (
          <Enrolment secrets={secrets} onDone={end} />
        ) : (
          <AskPassword
            intro={isOn ? 'Your account will be protected by the password alone.' : 'First, show that it is you.'}
            label={isOn ? 'Turn off' : 'Continue'}
            work={isOn ? disable : enable}
          />
        )}
      </Modal>
    </>
  );
}

function AskPassword(props: { intro: string; label: string; work: (password: string) => Promise<void> }) {
  const form = useForm({
    initialValues: { password: '' },
    validate: { password: (value) => (value === '' ? 'Enter your password' : null) },
  });
  const { submit, busy, problem } = useSubmit(form, ({ password }) => props.work(password));
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Text size="sm">{props.intro}</Text>
        <ProblemAlert problem={problem} />
        <PasswordInput
          data-autofocus
          label="Your password"
          autoComplete="current-password"
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
          {...form.getInputProps('password')}
        />
        <Button type="submit" loading={busy}>
          {props.label}
        </Button>
      </Stack>
    </form>
  );
}
