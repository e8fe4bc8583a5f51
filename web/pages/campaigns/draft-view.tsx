import { Alert, Badge, Button, Card, Grid, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconRefresh, IconSend } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Campaign } from '../../../contract/campaigns.ts';
import { api } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { askChannelAccount } from '../../ui/channel-account.ts';
import { confirm, NumberText, ProblemAlert, ReadinessList, tell } from '../../ui/index.ts';
import { durationText, sumOf, type Waterfall } from './results.rules.ts';
import { WaterfallPicture } from './waterfall-picture.tsx';

/** Before the start: who will get it, who will not and why, and what a mailbox provider would object to. */
export function DraftView({ campaign }: { campaign: Campaign }) {
  const params = { id: campaign.id };
  const waterfall = useQuery({ ...ask('GET /campaigns/:id/audience', { params }), staleTime: 0 });
  const readiness = useQuery({ ...ask('GET /campaigns/:id/readiness', { params }), staleTime: 0 });
  return (
    <Grid gap="lg">
      <Grid.Col span={{ base: 12, lg: 7 }}>
        <Card withBorder>
          <Group justify="space-between" mb="md" gap="xs">
            <Title order={2} size="h4">
              Who will get it
            </Title>
            <Button
              size="xs"
              variant="subtle"
              leftSection={<IconRefresh size={14} aria-hidden />}
              loading={waterfall.isFetching}
              onClick={() => void waterfall.refetch()}
            >
              Count again
            </Button>
          </Group>
          <ProblemAlert problem={waterfall.error} onRetry={() => void waterfall.refetch()} />
          {waterfall.isPending && <Skeleton height={240} aria-label="The audience is being counted" />}
          {waterfall.data && <WaterfallPicture waterfall={waterfall.data} />}
        </Card>
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 5 }}>
        <Stack gap="lg">
          <StartCard campaign={campaign} waterfall={waterfall.data} isReady={readiness.data?.ready} />
          <Card withBorder>
            <Group gap="sm" mb="md">
              <Title order={2} size="h4">
                Ready to send?
              </Title>
              {readiness.data && (
                <Badge color={readiness.data.ready ? 'teal' : 'red'} variant="light" tt="none" radius="sm">
                  {readiness.data.ready ? 'Nothing stops it' : 'Something stops it'}
                </Badge>
              )}
            </Group>
            <ProblemAlert problem={readiness.error} onRetry={() => void readiness.refetch()} />
            {readiness.isPending && <Skeleton height={160} aria-label="Being checked" />}
            {readiness.data && <ReadinessList readiness={readiness.data} />}
          </Card>
        </Stack>
      </Grid.Col>
    </Grid>
  );
}

function StartCard(props: { campaign: Campaign; waterfall: Waterfall | undefined; isReady: boolean | undefined }) {
  const { campaign, waterfall } = props;
  const can = useCan();
  const account = useQuery({ ...askChannelAccount(campaign.channels[0] ?? 'email'), enabled: can('providers:read') });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  if (!can('campaigns:send')) {
    return (
      <Alert color="gray" variant="light" title="Starting it">
        Your role can prepare campaigns; somebody with the permission to send has to start it.
      </Alert>
    );
  }
  const nobody = waterfall !== undefined && waterfall.willSend + sumOf(waterfall.held) === 0;
  const start = async () => {
    if (!waterfall) return;
    const said = await confirm({
      title: `Start “${campaign.name}”?`,
      body: (
        <WhatWillHappen campaign={campaign} waterfall={waterfall} kind={account.data?.kind} name={account.data?.name} />
      ),
      confirmLabel: 'Start sending',
    });
    if (!said) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await api('POST /campaigns/:id/start', { params: { id: campaign.id }, idempotencyKey });
      await refresh('campaigns', 'messages', 'dashboard');
      tell.done('The campaign is started.');
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card withBorder>
      <Stack gap="sm">
        <ProblemAlert problem={problem} />
        {waterfall && <Summary waterfall={waterfall} />}
        <Button
          size="md"
          leftSection={<IconSend size={18} aria-hidden />}
          loading={busy}
          disabled={!waterfall || nobody || props.isReady === false}
          onClick={() => void start()}
        >
          Start the campaign…
        </Button>
        {nobody && (
          <Text size="sm">
            Nobody would get it as things stand. The picture says why: most often the consent to this topic is missing.
          </Text>
        )}
        {props.isReady === false && <Text size="sm">Solve what is marked as a problem below first.</Text>}
      </Stack>
    </Card>
  );
}

function Summary({ waterfall }: { waterfall: Waterfall }) {
  return (
    <div>
      <Text fz={32} fw={700} lh={1.1}>
        <NumberText value={waterfall.willSend} />
      </Text>
      <Text c="dimmed">
        {waterfall.willSend === 1 ? 'person gets it' : 'people get it'}
        {waterfall.estimatedSeconds !== null &&
          waterfall.willSend > 0 &&
          `, in ${durationText(waterfall.estimatedSeconds)}`}
      </Text>
    </div>
  );
}

/** Asked once, with everything that will happen said. */
function WhatWillHappen(props: {
  campaign: Campaign;
  waterfall: Waterfall;
  kind: string | undefined;
  name: string | undefined;
}) {
  const { campaign, waterfall } = props;
  const held = sumOf(waterfall.held);
  const suppressed = sumOf(waterfall.suppressed);
  return (
    <Stack gap="xs">
      <Text size="sm">
        <strong>
          <NumberText value={waterfall.willSend} /> {waterfall.willSend === 1 ? 'person gets' : 'people get'}
        </strong>{' '}
        “{campaign.templateName}”
        {waterfall.estimatedSeconds === null
          ? ', as fast as the account takes it.'
          : `, in ${durationText(waterfall.estimatedSeconds)} at the account’s limits.`}
      </Text>
      {held > 0 && (
        <Text size="sm">
          <NumberText value={held} /> {held === 1 ? 'is' : 'are'} held back for now and follow later.
        </Text>
      )}
      {suppressed > 0 && (
        <Text size="sm">
          <NumberText value={suppressed} /> will not get it, each for a reason you can look up afterwards.
        </Text>
      )}
      <Text size="sm">
        Consent is asked once more for each person in the moment of sending. You can pause at any time; what has left
        cannot be called back.
      </Text>
      {props.kind === 'sandbox' && (
        <Alert color="blue" variant="light" p="sm">
          It goes through the sandbox: nothing leaves this server, and everything can be read in the sandbox inbox.
        </Alert>
      )}
      {props.kind !== undefined && props.kind !== 'sandbox' && (
        <Text size="sm">
          It really goes out, through the account <strong>{props.name}</strong>.
        </Text>
      )}
    </Stack>
  );
}
