import { Anchor, Button, Group, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { api } from '../../api.ts';
import { ProblemAlert, useSubmit } from '../../ui/index.ts';
import { Door } from './door.tsx';

/** The second step of a sign-in: the app's six digits, or one of the backup codes. */
export function SecondFactor({ onDone, onBack }: { onDone: () => Promise<void>; onBack: () => void }) {
  const [isBackup, setBackup] = useState(false);
  const form = useForm({ initialValues: { code: '' } });
  const { submit, busy, problem, setProblem } = useSubmit(form, async ({ code }) => {
    const typed = code.replaceAll(' ', '');
    await api('POST /auth/sign-in/two-factor', { body: isBackup ? { backupCode: typed } : { code: typed } });
    await onDone();
  });
  const swap = () => {
    setBackup(!isBackup);
    setProblem(undefined);
    form.reset();
  };
  return (
    <Door
      title="One more step"
      intro={
        isBackup
          ? 'Each backup code works once.'
          : 'Your account is protected by a second factor. Enter the 6 digits your authenticator app shows now.'
      }
    >
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert problem={problem} />
          <TextInput
            key={String(isBackup)}
            label={isBackup ? 'Backup code' : 'Code'}
            autoFocus
            autoComplete="one-time-code"
            inputMode={isBackup ? 'text' : 'numeric'}
            {...form.getInputProps('code')}
          />
          <Button type="submit" loading={busy} fullWidth>
            Continue
          </Button>
          <Group justify="space-between">
            <Anchor component="button" type="button" size="sm" onClick={swap}>
              {isBackup ? 'Use the app instead' : 'Use a backup code'}
            </Anchor>
            <Anchor component="button" type="button" size="sm" onClick={onBack}>
              Back to sign-in
            </Anchor>
          </Group>
        </Stack>
      </form>
    </Door>
  );
}
