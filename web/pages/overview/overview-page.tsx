import { Card, Group, SimpleGrid, Stack, Table, Text, Title, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Overview as Facts } from '../../../contract/overview.ts';
import { ask, refresh } from '../../query.ts';
import { RouteLoading } from '../../shell/fallbacks.tsx';
import { useMe } from '../../shell/me.ts';
import { useStream } from '../../stream.ts';
import { NumberText, PageHeader, ProblemAlert, StateBadge, TextLink, TimeText, useFormats } from '../../ui/index.ts';
import { NextSteps } from './next-steps.tsx';

export function Overview() {
  const me = useMe();
  const overview = useQuery(ask('GET /dashboard/overview'));
  useStream(['import', 'campaign', 'sandbox'], () => void refresh('dashboard'));
  if (overview.isPending) return <RouteLoading />;
  const { data } = overview;
  return (
    <>
      <PageHeader
        title="Overview"
        description={`Hello ${me.name}. This is how things stand in ${me.workspace.name}.`}
      />
      <Stack gap="lg">
        <ProblemAlert problem={overview.error} onRetry={() => void overview.refetch()} />
        {data && (
          <>
            {data.nextSteps.some((step) => !step.done) && <NextSteps nextSteps={data.nextSteps} />}
            <Counts counts={data.counts} />
            {data.messages && <Messages messages={data.messages} />}
            <RecentCampaigns campaigns={data.recentCampaigns} />
          </>
        )}
      </Stack>
    </>
  );
}

function Counts({ counts }: { counts: Facts['counts'] }) {
  const cards = [
    { label: 'Contacts', value: counts.contacts, to: '/contacts' },
    { label: 'Addresses with consent', value: counts.consented, to: '/consent' },
    { label: 'Templates', value: counts.templates, to: '/templates' },
    { label: 'Campaigns', value: counts.campaigns, to: '/campaigns' },
  ].filter((card) => card.value !== null);
  if (cards.length === 0) return null;
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }}>
      {cards.map((card) => (
        <UnstyledButton key={card.to} renderRoot={(root: object) => <Link to={card.to} {...root} />}>
          <Card withBorder padding="md" h="100%">
            <Text size="sm" c="dimmed">
              {card.label}
            </Text>
            <Text fz={28} fw={650} lh={1.3}>
              <NumberText value={card.value} />
            </Text>
          </Card>
        </UnstyledButton>
      ))}
    </SimpleGrid>
  );
}

function Messages({ messages }: { messages: NonNullable<Facts['messages']> }) {
  const formats = useFormats();
  const ofAccepted = (count: number) => (messages.accepted > 0 ? formats.percent(count / messages.accepted) : '');
  const parts = [
    { label: 'Planned', value: messages.planned, note: '' },
    { label: 'Handed over', value: messages.accepted, note: '' },
    { label: 'Opened', value: messages.opened, note: ofAccepted(messages.opened) },
    { label: 'Clicked', value: messages.clicked, note: ofAccepted(messages.clicked) },
    { label: 'Not sent, with a reason', value: messages.suppressed, note: '' },
    { label: 'Failed', value: messages.failed, note: '' },
    { label: 'In doubt', value: messages.unknown, note: '' },
  ];
  return (
    <Card withBorder padding="lg" component="section" aria-labelledby="messages-30">
      <Group justify="space-between" mb="md">
        <Title order={2} size="h4" id="messages-30">
          Messages of the last 30 days
        </Title>
        <Group gap="md">
          {messages.unknown > 0 && (
            <TextLink to="/messages" search={{ state: 'unknown' }} size="sm">
              Decide about those in doubt
            </TextLink>
          )}
          <TextLink to="/messages" size="sm">
            All messages
          </TextLink>
        </Group>
      </Group>
      <SimpleGrid component="dl" cols={{ base: 2, sm: 4, lg: 7 }} m={0}>
        {parts.map((part) => (
          <div key={part.label}>
            <Text component="dt" size="sm" c="dimmed">
              {part.label}
            </Text>
            <Text component="dd" m={0} fz={22} fw={650}>
              <NumberText value={part.value} />{' '}
              {part.note && (
                <Text component="span" size="sm" c="dimmed" fw={400}>
                  {part.note}
                </Text>
              )}
            </Text>
          </div>
        ))}
      </SimpleGrid>
    </Card>
  );
}

function RecentCampaigns({ campaigns }: { campaigns: Facts['recentCampaigns'] }) {
  if (campaigns.length === 0) return null;
  return (
    <Card withBorder padding="lg" component="section" aria-labelledby="recent-campaigns">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4" id="recent-campaigns">
          Recent campaigns
        </Title>
        <TextLink to="/campaigns" size="sm">
          All campaigns
        </TextLink>
      </Group>
      <Table.ScrollContainer minWidth={480} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Campaign</Table.Th>
              <Table.Th scope="col">Status</Table.Th>
              <Table.Th scope="col" ta="end">
                Handed over
              </Table.Th>
              <Table.Th scope="col" ta="end">
                Opened
              </Table.Th>
              <Table.Th scope="col" ta="end">
                Changed
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {campaigns.map((campaign) => (
              <Table.Tr key={campaign.id}>
                <Table.Td>
                  <TextLink to="/campaigns/$id" params={{ id: campaign.id }}>
                    {campaign.name}
                  </TextLink>
                </Table.Td>
                <Table.Td>
                  <StateBadge state={campaign.status} />
                </Table.Td>
                <Table.Td ta="end">
                  <NumberText value={campaign.totals?.accepted} />
                </Table.Td>
                <Table.Td ta="end">
                  <NumberText value={campaign.totals?.opened} />
                </Table.Td>
                <Table.Td ta="end">
                  <TimeText at={campaign.endedAt ?? campaign.startedAt ?? campaign.updatedAt} relative />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Card>
  );
}
