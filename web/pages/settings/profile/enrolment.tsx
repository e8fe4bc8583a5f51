import { Button, Checkbox, Code, Group, Paper, SimpleGrid, Stack, Stepper, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconDownload } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { encode } from 'uqr';
import { api, type Answer } from '../../../api.ts';
import { refresh } from '../../../query.ts';
import { CopyText, ProblemAlert, tell, useSubmit } from '../../../ui/index.ts';

type Secrets = Answer<'POST /auth/two-factor/enable'>;

/** Scan, write down the backup codes, type the first code: only then is it on. */
export function Enrolment({ secrets, onDone }: { secrets: Secrets; onDone: () => void }) {
  const [step, setStep] = useState(0);
  return (
    <Stepper active={step} size="sm" allowNextStepsSelect={false} onStepClick={setStep}>
      <Stepper.Step label="Scan">
        <Scan secrets={secrets} onNext={() => setStep(1)} />
      </Stepper.Step>
      <Stepper.Step label="Backup codes">
        <BackupCodes codes={secrets.backupCodes} onNext={() => setStep(2)} />
      </Stepper.Step>
      <Stepper.Step label="Confirm">
        <Confirm onDone={onDone} />
      </Stepper.Step>
    </Stepper>
  );
}

function Scan({ secrets, onNext }: { secrets: Secrets; onNext: () => void }) {
  return (
    <Stack align="center" mt="md">
      <Text size="sm">
        Open an authenticator app (Aegis, 1Password, Google Authenticator, …) on your phone and scan this picture.
      </Text>
      <QrCode value={secrets.uri} />
      <Text size="sm" c="dimmed">
        The camera does not work? Type this key into the app:
      </Text>
      <CopyText value={secrets.secret} label="the key" />
      <Button onClick={onNext} fullWidth data-autofocus>
        I have scanned it
      </Button>
    </Stack>
  );
}

/** Dark on white in both colour schemes, with the quiet zone: scanners need it. */
function QrCode({ value }: { value: string }) {
  const { size, path } = useMemo(() => {
    const code = encode(value, { border: 4, ecc: 'M' });
    const squares = code.data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')));
    return { size: code.size, path: squares.join('') };
  }, [value]);
  return (
    <Paper bg="white" p={4}>
      <svg
        role="img"
        aria-label="QR code for your authenticator app"
        viewBox={`0 0 ${size} ${size}`}
        width={220}
        height={220}
        shapeRendering="crispEdges"
        style={{ display: 'block' }}
      >
        <path d={path} fill="#000" />
      </svg>
    </Paper>
  );
}

function BackupCodes({ codes, onNext }: { codes: readonly string[]; onNext: () => void }) {
  const [isKept, setKept] = useState(false);
  const download = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([`${codes.join('\n')}\n`], { type: 'text/plain' }));
    link.download = 'parley-backup-codes.txt';
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <Stack mt="md">
      <Text size="sm">
        Should you lose your phone, each of these lets you in once. They are shown only now; keep them where you keep
        passwords.
      </Text>
      <SimpleGrid cols={{ base: 2, sm: 3 }} spacing="xs">
        {codes.map((code) => (
          <Code key={code} fz="md" ta="center">
            {code}
          </Code>
        ))}
      </SimpleGrid>
      <Group>
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} onClick={download}>
          Download
        </Button>
        <CopyCodes codes={codes} />
      </Group>
      <Checkbox
        label="I have kept the codes"
        checked={isKept}
        onChange={(event) => setKept(event.currentTarget.checked)}
      />
      <Button disabled={!isKept} onClick={onNext}>
        Continue
      </Button>
    </Stack>
  );
}

function CopyCodes({ codes }: { codes: readonly string[] }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(codes.join('\n'));
    setCopied(true);
  };
  return (
    <Button variant="default" onClick={() => void copy().catch(tell.problem)}>
      {isCopied ? 'Copied' : 'Copy all'}
    </Button>
  );
}

function Confirm({ onDone }: { onDone: () => void }) {
  const form = useForm({
    initialValues: { code: '' },
    validate: {
      code: (value) => (/^\d{6}$/.test(value.replaceAll(' ', '')) ? null : 'Enter the 6 digits the app shows'),
    },
  });
  const { submit, busy, problem } = useSubmit(form, async ({ code }) => {
    await api('POST /auth/two-factor/confirm', { body: { code: code.replaceAll(' ', '') } });
    await refresh('me');
    onDone();
    tell.done('Two-factor sign-in is on.');
  });
  return (
    <form onSubmit={submit} noValidate>
      <Stack mt="md">
        <ProblemAlert problem={problem} />
        <TextInput
          label="Code from the app"
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
          {...form.getInputProps('code')}
        />
        <Button type="submit" loading={busy}>
          Turn on
        </Button>
      </Stack>
    </form>
  );
}
