import { Grid, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { Campaign } from '../../../contract/campaigns.ts';
import { ask } from '../../query.ts';
import { stateText } from '../../reasons.ts';
import { useCan } from '../../shell/me.ts';
import { useStream } from '../../stream.ts';
import { PageHeader, ProblemAlert, StateBadge, TextLink, TimeText } from '../../ui/index.ts';
import { CampaignActions } from './campaign-actions.tsx';
import { DraftView } from './draft-view.tsx';
import { ProgressCard } from './progress-card.tsx';
import { ReasonsCard } from './reasons-card.tsx';
import { ResultsCard } from './results-card.tsx';
import type { Stats } from './results.rules.ts';

const livePollMs = 1500;
const restPollMs = 15_000;

/** Cancelling takes a while too: what waits is taken back page by page. */
function isMoving(campaign: Campaign | undefined): boolean {
  return campaign?.status === 'running' || (campaign?.status === 'cancelled' && campaign.endedAt === null);
}

/** Draft: who will get it and what stands in the way. Started: how far it is, and what came of it. */
export function CampaignPage() {
  const { id } = useParams({ from: '/app/campaigns/$id' });
  const query = useQuery({
    ...ask('GET /campaigns/:id', { params: { id } }),
    refetchInterval: (known) => (isMoving(known.state.data) ? livePollMs * 2 : false),
  });
  const campaign = query.data;
  const isStarted = campaign !== undefined && campaign.status !== 'draft';
  const stats = useQuery({
    ...ask('GET /campaigns/:id/stats', { params: { id } }),
    enabled: isStarted,
    // Opens and clicks come in long after it is finished.
    refetchInterval: isMoving(campaign) ? livePollMs : restPollMs,
  });
  useStream(['campaign', 'message'], (news) => {
    if (news.id && news.id !== id) return;
    void query.refetch();
    if (isStarted) void stats.refetch();
  });
  if (!campaign) {
    return (
      <>
        <PageHeader title="Campaign" crumbs={[{ label: 'Campaigns', to: '/campaigns' }]} />
        <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
        {query.isPending && <Skeleton height={320} aria-label="The campaign is loading" />}
      </>
    );
  }
  return (
    <>
      <PageHeader
        title={campaign.name}
        crumbs={[{ label: 'Campaigns', to: '/campaigns' }]}
        badge={<StateBadge state={campaign.status} label={stateText(campaign.status).label} />}
        description={<Facts campaign={campaign} />}
        actions={<CampaignActions campaign={campaign} />}
      />
      <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
      {isStarted ? <StartedView campaign={campaign} stats={stats} /> : <DraftView campaign={campaign} />}
    </>
  );
}

function Facts({ campaign }: { campaign: Campaign }) {
  const { from } = campaign;
  const can = useCan();
  const topics = useQuery({ ...ask('GET /topics', { query: { limit: 200 } }), enabled: can('topics:read') });
  const topic = topics.data?.data.find((one) => one.key === campaign.topic)?.name ?? campaign.topic;
  return (
    <>
      Sends{' '}
      <TextLink underline="always" to="/templates/$id" params={{ id: campaign.templateId }}>
        {campaign.templateName}
      </TextLink>
      {campaign.templateVersion !== null && ` (version ${campaign.templateVersion})`} about {topic}
      {from && ` as ${from.name ?? from.email}`}
      {campaign.startedAt && (
        <>
          , started <TimeText at={campaign.startedAt} />
        </>
      )}
      {campaign.endedAt && (
        <>
          , ended <TimeText at={campaign.endedAt} />
        </>
      )}
    </>
  );
}

function StartedView({ campaign, stats }: { campaign: Campaign; stats: UseQueryResult<Stats> }) {
  if (!stats.data) {
    return stats.error ? (
      <ProblemAlert problem={stats.error} onRetry={() => void stats.refetch()} />
    ) : (
      <Skeleton height={320} aria-label="The numbers are loading" />
    );
  }
  return (
    <Stack gap="lg">
      <ProblemAlert problem={stats.error} onRetry={() => void stats.refetch()} />
      <ProgressCard campaign={campaign} stats={stats.data} />
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <ResultsCard stats={stats.data} />
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <ReasonsCard campaignId={campaign.id} stats={stats.data} />
        </Grid.Col>
      </Grid>
      <Text size="sm">
        <TextLink underline="always" to="/messages" search={{ campaignId: campaign.id } as never}>
          See every message of this campaign
        </TextLink>
      </Text>
    </Stack>
  );
}
