import { Alert, Button, Card, Group, Select, Stack, Switch, Text, TextInput, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconInfoCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ImportOptions } from '../../../contract/imports.ts';
import { ask } from '../../query.ts';
import { basisText } from '../../sources.ts';
import { useCan } from '../../shell/me.ts';
import { NewTopicModal } from '../../ui/new-topic-modal.tsx';
import { ProblemAlert } from '../../ui/index.ts';

type Consent = NonNullable<ImportOptions['consent']>;

export interface ConsentGiven {
  readonly isGiven: boolean;
  readonly topic: string;
  readonly basis: Consent['basis'];
  readonly source: string;
  readonly textVersion: string;
  readonly at: string;
}

export const noConsent: ConsentGiven = {
  isGiven: false,
  topic: '',
  basis: 'consent',
  source: '',
  textVersion: '',
  at: '',
};

/** As the import takes it; nothing when the person did not claim any. */
export function consentOf(given: ConsentGiven): Consent | undefined {
  if (!given.isGiven || consentProblem(given)) return undefined;
  return {
    channel: 'email',
    topic: given.topic,
    basis: given.basis,
    evidence: {
      source: given.source.trim(),
      ...(given.textVersion.trim() ? { textVersion: given.textVersion.trim() } : {}),
      ...(given.at ? { at: new Date(given.at).toISOString() } : {}),
    },
  };
}

export function consentProblem(given: ConsentGiven): string | undefined {
  if (!given.isGiven) return undefined;
  if (given.topic === '') return 'Choose the topic these people agreed to.';
  return given.source.trim() === '' ? 'Say where these people agreed.' : undefined;
}

/** Whether the people in the file agreed to be written to, to what, and how that can be proved. */
export function ConsentCard({ value, onChange }: { value: ConsentGiven; onChange: (value: ConsentGiven) => void }) {
  const set = (patch: Partial<ConsentGiven>) => onChange({ ...value, ...patch });
  return (
    <Card withBorder>
      <Stack>
        <Title order={2} size="h4">
          3. Consent
        </Title>
        <Switch
          label="Everybody in this file agreed to be written to"
          description="Leave it off if you are not sure: contacts come in, but nothing can be sent to them yet."
          checked={value.isGiven}
          onChange={(event) => set({ isGiven: event.currentTarget.checked })}
        />
        {value.isGiven && (
          <>
            <Alert
              color="blue"
              variant="light"
              icon={<IconInfoCircle aria-hidden />}
              title="An import never overrides a withdrawal"
            >
              Whoever unsubscribed from this topic stays unsubscribed, whatever the file says. For everybody else the
              consent is written to the ledger with what you fill in here as its evidence.
            </Alert>
            <TopicChoice value={value.topic} onChange={(topic) => set({ topic })} />
            <Group grow preventGrowOverflow={false} align="flex-start">
              <Select
                label="On what ground"
                miw={240}
                allowDeselect={false}
                data={Object.entries(basisText).map(([basis, label]) => ({ value: basis, label }))}
                value={value.basis}
                onChange={(basis) => set({ basis: basis as Consent['basis'] })}
              />
              <TextInput
                label="Where they agreed"
                placeholder="Sign-up form in the shop"
                miw={240}
                required
                maxLength={200}
                value={value.source}
                onChange={(event) => set({ source: event.currentTarget.value })}
              />
            </Group>
            <Group grow preventGrowOverflow={false} align="flex-start">
              <TextInput
                label="Version of the text they saw"
                placeholder="2026-03"
                miw={240}
                maxLength={100}
                value={value.textVersion}
                onChange={(event) => set({ textVersion: event.currentTarget.value })}
              />
              <TextInput
                label="When they agreed"
                description="The time of the import, when left empty"
                type="datetime-local"
                miw={240}
                value={value.at}
                onChange={(event) => set({ at: event.currentTarget.value })}
              />
            </Group>
          </>
        )}
      </Stack>
    </Card>
  );
}

function TopicChoice({ value, onChange }: { value: string; onChange: (topic: string) => void }) {
  const can = useCan();
  const topics = useQuery(ask('GET /topics', { query: { limit: 200 } }));
  const [isMaking, making] = useDisclosure();
  const choices = (topics.data?.data ?? []).map((topic) => ({ value: topic.key, label: topic.name }));
  return (
    <>
      <ProblemAlert problem={topics.error} onRetry={() => void topics.refetch()} />
      <Group align="flex-end" gap="xs">
        <Select
          label="What they agreed to"
          description="People unsubscribe per topic"
          placeholder={choices.length > 0 ? 'Choose a topic' : 'No topic yet'}
          required
          miw={240}
          data={choices}
          value={value || null}
          onChange={(topic) => onChange(topic ?? '')}
        />
        {can('topics:write') && (
          <Button variant="default" onClick={making.open}>
            New topic…
          </Button>
        )}
      </Group>
      {topics.data?.data.length === 0 && (
        <Text size="sm" c="dimmed">
          A topic is what people can agree to receive, such as “Newsletter” or “Offers”.
        </Text>
      )}
      <NewTopicModal opened={isMaking} onClose={making.close} onMade={(topic) => onChange(topic.key)} />
    </>
  );
}
