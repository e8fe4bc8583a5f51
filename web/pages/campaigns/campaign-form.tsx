import {
  Alert,
  Button,
  Card,
  Group,
  Radio,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  Text,
  TextInput,
} from '@mantine/core';
import { useForm, type UseFormReturnType } from '@mantine/form';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ask } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { channelNames, channels } from '../../ui/channels.ts';
import { askChannelAccount } from '../../ui/channel-account.ts';
import { useDraft } from '../../ui/draft.ts';
import { LinkButton, ProblemAlert, TextLink, TimeText, UnsavedGuard, useSubmit } from '../../ui/index.ts';
import { NewTopicModal } from '../../ui/new-topic-modal.tsx';
import { formProblems, type CampaignFormValues } from './form.rules.ts';

type Form = UseFormReturnType<CampaignFormValues>;

export function CampaignForm(props: {
  initial: CampaignFormValues;
  draftKey: string;
  base: string;
  submitLabel: string;
  onSubmit: (values: CampaignFormValues, idempotencyKey: string) => Promise<void>;
}) {
  const [key] = useState(() => crypto.randomUUID());
  const kept = useDraft<CampaignFormValues>(props.draftKey);
  const form: Form = useForm<CampaignFormValues>({
    initialValues: props.initial,
    validate: (values) => formProblems(values),
  });
  const { submit, busy, problem } = useSubmit(form, async (values) => {
    await props.onSubmit(values, key);
    kept.discard();
  });
  const isDirty = form.isDirty();
  const { keep } = kept;
  const { values } = form;
  useEffect(() => {
    if (isDirty && !busy) keep(values, props.base);
  }, [isDirty, busy, values, keep, props.base]);
  return (
    <Stack maw={760}>
      <UnsavedGuard when={isDirty && !busy} />
      {kept.found && (
        <Alert color="blue" variant="light" title="There is unsaved work from an earlier visit">
          <Text size="sm">
            Kept in this browser <TimeText at={kept.found.at} relative />.
          </Text>
          <Group mt="sm" gap="xs">
            <Button
              size="xs"
              onClick={() => {
                if (kept.found) form.setValues(kept.found.value);
                kept.settle();
              }}
            >
              Take it up again
            </Button>
            <Button size="xs" variant="default" onClick={kept.discard}>
              Throw it away
            </Button>
          </Group>
        </Alert>
      )}
      <form onSubmit={submit} noValidate>
        <Card withBorder>
          <Stack gap="lg">
            <ProblemAlert problem={problem} />
            <TextInput
              label="Name"
              description="Only your team sees it"
              required
              maxLength={100}
              {...form.getInputProps('name')}
            />
            <ChannelChoice form={form} />
            <TemplateChoice form={form} />
            <TopicAndAudience form={form} />
            {form.values.channel === 'email' && <SenderChoice form={form} />}
            <Group justify="flex-end">
              <LinkButton to="/campaigns" variant="default">
                Cancel
              </LinkButton>
              <Button type="submit" loading={busy}>
                {props.submitLabel}
              </Button>
            </Group>
          </Stack>
        </Card>
      </form>
    </Stack>
  );
}

/** Templates belong to a channel: with another one, another template has to be chosen. */
function ChannelChoice({ form }: { form: Form }) {
  return (
    <Stack gap={4} align="flex-start">
      <Text size="sm" fw={500} id="campaign-channel">
        Channel
      </Text>
      <SegmentedControl
        aria-labelledby="campaign-channel"
        data={channelNames.map((one) => ({ value: one, label: channels[one].label }))}
        value={form.values.channel}
        onChange={(channel) => {
          form.setFieldValue('channel', channel);
          form.setFieldValue('templateId', '');
        }}
      />
    </Stack>
  );
}

function TemplateChoice({ form }: { form: Form }) {
  const { channel } = form.values;
  const templates = useQuery(ask('GET /templates', { query: { limit: 200, channel } }));
  const rows = templates.data?.data ?? [];
  const chosen = rows.find((row) => row.id === form.values.templateId);
  return (
    <div>
      <ProblemAlert problem={templates.error} onRetry={() => void templates.refetch()} />
      <Select
        label="Template"
        description={
          chosen
            ? `${channel === 'email' ? 'Subject' : 'Begins'}: ${chosen.subject ?? 'none'}`
            : 'The version that is newest when you start it is what is sent'
        }
        required
        searchable
        placeholder={templates.data && rows.length === 0 ? 'No template yet' : 'Choose what to send'}
        data={rows.map((row) => ({ value: row.id, label: `${row.name} (${row.locale}, version ${row.version})` }))}
        {...form.getInputProps('templateId')}
        value={form.values.templateId || null}
        onChange={(value) => form.setFieldValue('templateId', value ?? '')}
      />
      {templates.data && rows.length === 0 && (
        <Text size="sm" mt={4}>
          <TextLink underline="always" to="/templates/new" search={(channel === 'email' ? {} : { channel }) as never}>
            Write a template first
          </TextLink>
          . What you filled in here is kept.
        </Text>
      )}
      {chosen && (
        <Text size="sm" mt={4}>
          <TextLink underline="always" to="/templates/$id" params={{ id: chosen.id }} target="_blank">
            Look at it in a new tab
          </TextLink>
        </Text>
      )}
    </div>
  );
}

function TopicAndAudience({ form }: { form: Form }) {
  const can = useCan();
  const topics = useQuery(ask('GET /topics', { query: { limit: 200 } }));
  const [isMaking, making] = useDisclosure();
  const rows = topics.data?.data ?? [];
  const choices = rows.map((row) => ({ value: row.key, label: row.name }));
  const chosen = rows.find((row) => row.key === form.values.topic);
  return (
    <>
      <div>
        <ProblemAlert problem={topics.error} onRetry={() => void topics.refetch()} />
        <Group align="flex-start" gap="xs">
          <Select
            label="Topic"
            description="Only people who agreed to it are written to; they unsubscribe from this topic"
            required
            flex={1}
            miw={220}
            placeholder={topics.data && rows.length === 0 ? 'No topic yet' : 'What it is about'}
            data={choices}
            {...form.getInputProps('topic')}
            value={form.values.topic || null}
            onChange={(value) => form.setFieldValue('topic', value ?? '')}
          />
        </Group>
        {can('topics:write') && (
          <Button variant="subtle" size="compact-sm" mt={4} onClick={making.open}>
            New topic…
          </Button>
        )}
        <NewTopicModal
          opened={isMaking}
          onClose={making.close}
          onMade={(topic) => form.setFieldValue('topic', topic.key)}
        />
      </div>
      <Radio.Group
        label="Audience"
        description="Consent decides in the end: nobody is written to who did not agree"
        {...form.getInputProps('audience')}
      >
        <Stack gap="xs" mt="xs">
          <Radio
            value="topic"
            label={
              chosen
                ? `Those who ever said something about “${chosen.name}”`
                : 'Those who ever said something about the topic'
            }
            description="The usual choice"
          />
          <Radio
            value="all"
            label="All contacts"
            description="Counts everybody, so that you see how many have not agreed yet"
          />
        </Stack>
      </Radio.Group>
    </>
  );
}

function SenderChoice({ form }: { form: Form }) {
  const can = useCan();
  const account = useQuery({ ...askChannelAccount('email'), enabled: can('providers:read') });
  const from = account.data?.sender.from;
  return (
    <Stack gap="xs">
      <Switch
        label="Use another sender than the account’s"
        description={
          from ? `The account sends as ${from.name ? `${from.name} <${from.email}>` : from.email}` : undefined
        }
        {...form.getInputProps('ownSender', { type: 'checkbox' })}
      />
      {form.values.ownSender && (
        <>
          <Group grow preventGrowOverflow={false} align="flex-start">
            <TextInput label="Sender’s name" miw={200} maxLength={100} {...form.getInputProps('fromName')} />
            <TextInput label="Sender’s address" type="email" miw={200} {...form.getInputProps('fromEmail')} />
          </Group>
          <TextInput label="Answers go to" type="email" placeholder="The sender" {...form.getInputProps('replyTo')} />
        </>
      )}
    </Stack>
  );
}
