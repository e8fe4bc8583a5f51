import { Card, Grid, SimpleGrid, Skeleton, Stack, Table, Text, Timeline, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { Message } from '../../../contract/messages.ts';
import { ask } from '../../query.ts';
import { categoryText, eventText, reasonText, sentence, stateText } from '../../reasons.ts';
import { useStream } from '../../stream.ts';
import { channels } from '../../ui/channels.ts';
import { NumberText, PageHeader, ProblemAlert, StateBadge, TextLink, TimeText } from '../../ui/index.ts';
import { MessageActions } from './message-actions.tsx';

const openStates = new Set(['planned', 'held', 'sending']);

export function MessagePage() {
  const { id } = useParams({ from: '/app/messages/$id' });
  const query = useQuery({
    ...ask('GET /messages/:id', { params: { id } }),
    refetchInterval: (known) => (openStates.has(known.state.data?.state ?? '') ? 2000 : 20_000),
  });
  useStream(['message'], (news) => {
    // News are of plans: a campaign tells once of all its messages.
    if (!news.id || news.id === query.data?.planId) void query.refetch();
  });
  const message = query.data;
  return (
    <>
      <PageHeader
        title={
          message
            ? `Message to ${message.to ?? (message.channel === 'inapp' ? 'a contact, in the app' : 'an erased contact')}`
            : 'Message'
        }
        crumbs={[{ label: 'Messages', to: '/messages' }]}
        badge={message && <StateBadge state={message.state} label={stateText(message.state).label} />}
        actions={message && <MessageActions message={message} />}
      />
      <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton height={320} aria-label="The message is loading" />}
      {message && (
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, lg: 7 }}>
            <Stack gap="lg">
              <WhyCard message={message} />
              <TimelineCard message={message} />
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 5 }}>
            <Stack gap="lg">
              <FactsCard message={message} />
              {message.attempts.length > 0 && <AttemptsCard message={message} />}
            </Stack>
          </Grid.Col>
        </Grid>
      )}
    </>
  );
}

/** Where it is, why, and what can be done: first of all. */
function WhyCard({ message }: { message: Message }) {
  const state = stateText(message.state);
  const code = message.reason ?? message.decision.reason ?? null;
  const reason = code === null ? undefined : reasonText(code);
  const until = message.decision.until ?? message.notBefore;
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="xs">
        {reason ? reason.title : state.label}
      </Title>
      <Text>{reason ? reason.why : state.meaning}</Text>
      {reason && (
        <Text mt="xs" fw={500}>
          {reason.remedy}
        </Text>
      )}
      {message.trouble && (
        <Text mt="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {[categoryText(message.trouble.category), message.trouble.code, message.trouble.meaning]
            .filter(Boolean)
            .join(' · ')}
        </Text>
      )}
      {until && openStates.has(message.state) && (
        <Text mt="xs" c="dimmed">
          Not before <TimeText at={until} />
        </Text>
      )}
    </Card>
  );
}

function TimelineCard({ message }: { message: Message }) {
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="md">
        What happened
      </Title>
      <Timeline bulletSize={14} lineWidth={2} active={message.timeline.length}>
        {message.timeline.map((entry, at) => (
          // Two things may happen in the same moment.
          <Timeline.Item key={`${at} ${entry.kind}`} title={eventText(entry.kind)}>
            <EntryDetails data={entry.data} />
            <Text size="sm" c="dimmed">
              <TimeText at={entry.at} />
            </Text>
          </Timeline.Item>
        ))}
      </Timeline>
    </Card>
  );
}

/** Of an event only what says something to a person; ids and what the title already says are left out. */
function EntryDetails({ data }: { data: Readonly<Record<string, unknown>> }) {
  const { reason, url, detail, code, as, by } = data;
  const said = [code, detail].filter((part) => typeof part === 'string' && part !== '').join(': ');
  return (
    <>
      {typeof reason === 'string' && <Text size="sm">{reasonText(reason).why}</Text>}
      {typeof as === 'string' && (
        <Text size="sm">
          {typeof by === 'string' ? `Decided by the ${by}` : 'Decided'}: {sentence(as)}
        </Text>
      )}
      {typeof url === 'string' && (
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {url}
        </Text>
      )}
      {said !== '' && (
        <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {said}
        </Text>
      )}
    </>
  );
}

function FactsCard({ message }: { message: Message }) {
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="sm">
        The message
      </Title>
      <SimpleGrid component="dl" cols={2} m={0} verticalSpacing="xs">
        <Fact label="Contact">
          <TextLink to="/contacts/$id" params={{ id: message.contactId }}>
            {message.to ?? (message.channel === 'inapp' ? 'Look at the contact' : 'Erased')}
          </TextLink>
        </Fact>
        <Fact label="Channel">{channels[message.channel].label}</Fact>
        <Fact label="Template">
          <TextLink to="/templates/$id" params={{ id: message.templateId }}>
            {message.templateName}, version {message.templateVersion}
          </TextLink>
        </Fact>
        <Fact label="Campaign">
          {message.campaignId === undefined ? (
            'None: sent by itself'
          ) : (
            <TextLink to="/campaigns/$id" params={{ id: message.campaignId }}>
              {message.campaignName ?? 'Campaign'}
            </TextLink>
          )}
        </Fact>
        <Fact label="Topic">{message.topic ?? 'None'}</Fact>
        <Fact label="Account">{message.accountName ?? 'None yet'}</Fact>
        <Fact label="Planned">
          <TimeText at={message.plannedAt} />
        </Fact>
        <Fact label="Settled">
          <TimeText at={message.settledAt} />
        </Fact>
        <Fact label="Opened">
          <NumberText value={message.opens} /> {message.opens === 1 ? 'time' : 'times'}
        </Fact>
        <Fact label="Clicked">
          <NumberText value={message.clicks} /> {message.clicks === 1 ? 'time' : 'times'}
        </Fact>
      </SimpleGrid>
      {message.providerRef && (
        <Text size="xs" c="dimmed" mt="sm" style={{ overflowWrap: 'anywhere' }}>
          Reference of the provider: {message.providerRef}
        </Text>
      )}
    </Card>
  );
}

function Fact({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div style={{ minWidth: 0 }}>
      <Text component="dt" size="sm" c="dimmed">
        {label}
      </Text>
      <Text component="dd" m={0} style={{ overflowWrap: 'anywhere' }}>
        {children}
      </Text>
    </div>
  );
}

function AttemptsCard({ message }: { message: Message }) {
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="sm">
        Attempts
      </Title>
      <Table verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>When</Table.Th>
            <Table.Th>What came of it</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {message.attempts.map((attempt, at) => (
            <Table.Tr key={`${at} ${attempt.at}`}>
              <Table.Td style={{ verticalAlign: 'top' }}>
                <TimeText at={attempt.at} />
                {attempt.accountName && (
                  <Text size="sm" c="dimmed">
                    {attempt.accountName}
                  </Text>
                )}
              </Table.Td>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>
                {stateText(attempt.outcome).label}
                {(attempt.code ?? attempt.detail) && (
                  <Text size="sm" c="dimmed">
                    {[attempt.code, attempt.detail].filter(Boolean).join(': ')}
                    {attempt.meaning && ` (${attempt.meaning})`}
                  </Text>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Card>
  );
}
