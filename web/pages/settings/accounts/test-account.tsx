import { Button, Group, List, Stack, Text, TextInput, ThemeIcon } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconCheck, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { api, type Answer } from '../../../api.ts';
import { refresh } from '../../../query.ts';
import { sentence } from '../../../reasons.ts';
import { useCan, useMe } from '../../../shell/me.ts';
import type { Channel } from '../../../ui/channels.ts';
import { ProblemAlert, Section, useSubmit } from '../../../ui/index.ts';

type Result = Answer<'POST /providers/:id/test'>;

/** What stands for the person on each channel. */
const placeholders: Readonly<Record<Channel, string>> = {
  email: 'you@example.com',
  sms: '+49 151 1234567',
  whatsapp: '+49 151 1234567',
  push: 'fcm:… , apns:… or webpush:…',
  inapp: '',
};

/** Connects, signs in and, with an address, sends one message; says how far it came. */
export function TestAccount({ id, channel }: { id: string; channel: Channel }) {
  const can = useCan();
  const { user } = useMe();
  const [result, setResult] = useState<Result>();
  const form = useForm({ initialValues: { to: channel === 'email' ? (user?.email ?? '') : '' } });
  const { submit, busy, problem } = useSubmit(form, async ({ to }) => {
    setResult(undefined);
    setResult(await api('POST /providers/:id/test', { params: { id }, body: to.trim() ? { to: to.trim() } : {} }));
    await refresh('sandbox');
  });
  if (!can('providers:write')) return null;
  return (
    <Section
      title="Test it"
      description="Connects, signs in and sends one message. Without an address it only connects."
    >
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert problem={problem} />
          <Group align="flex-end" wrap="nowrap">
            {channel === 'inapp' ? (
              <Text size="sm" style={{ flex: 1 }}>
                To see a message in an inbox, send a test of a template to a contact.
              </Text>
            ) : (
              <TextInput
                label="Send to"
                type={channel === 'email' ? 'email' : 'text'}
                placeholder={placeholders[channel]}
                style={{ flex: 1 }}
                {...form.getInputProps('to')}
              />
            )}
            <Button type="submit" loading={busy}>
              Test
            </Button>
          </Group>
          <div aria-live="polite">{result && <Steps result={result} />}</div>
        </Stack>
      </form>
    </Section>
  );
}

function Steps({ result }: { result: Result }) {
  return (
    <>
      <Text size="sm" fw={600} mb="xs">
        {result.ok ? 'Everything worked.' : 'It did not work:'}
      </Text>
      <List spacing="xs" listStyleType="none">
        {result.steps.map((step) => (
          <List.Item
            key={step.name}
            icon={
              <ThemeIcon size={22} radius="xl" variant="light" color={step.ok ? 'teal' : 'red'}>
                {step.ok ? (
                  <IconCheck size={14} role="img" aria-label="Worked" />
                ) : (
                  <IconX size={14} role="img" aria-label="Failed" />
                )}
              </ThemeIcon>
            }
          >
            <Text size="sm">{sentence(step.name)}</Text>
            <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {step.detail}
            </Text>
          </List.Item>
        ))}
      </List>
    </>
  );
}
