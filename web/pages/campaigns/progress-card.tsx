import { Alert, Card, Group, Progress, Stack, Text, Title } from '@mantine/core';
import type { Campaign } from '../../../contract/campaigns.ts';
import { stateText } from '../../reasons.ts';
import { NumberText, TextLink } from '../../ui/index.ts';
import classes from './progress-card.module.css';
import { durationText, partsOf, progressOf, type Part, type Stats } from './results.rules.ts';

const colours: Readonly<Record<Part['key'], string>> = {
  accepted: 'teal.6',
  sending: 'blue.6',
  waiting: 'blue.3',
  held: 'yellow.5',
  suppressed: 'grape.4',
  failed: 'red.6',
  unknown: 'orange.6',
  cancelled: 'gray.5',
  expired: 'gray.6',
};

/** Where every planned message is: a bar and its legend, which always add up to what was planned. */
export function ProgressCard({ campaign, stats }: { campaign: Campaign; stats: Stats }) {
  const parts = partsOf(stats);
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Group justify="space-between" align="baseline" gap="xs">
          <Title order={2} size="h4">
            {headline(stats)}
          </Title>
          <Text c="dimmed">
            <NumberText value={stats.planned} /> {stats.planned === 1 ? 'person' : 'people'} in all
            {stats.etaSeconds !== null && stats.etaSeconds > 0 && <> · {durationText(stats.etaSeconds)} to go</>}
          </Text>
        </Group>
        <Progress.Root size={22} aria-hidden>
          {parts.map((part) => (
            <Progress.Section
              key={part.key}
              value={part.percent}
              color={colours[part.key]}
              animated={stats.status === 'running' && part.key === 'sending'}
              withAria={false}
            />
          ))}
        </Progress.Root>
        <ul className={classes['legend'] ?? ''}>
          {parts.map((part) => (
            <LegendItem key={part.key} part={part} campaignId={campaign.id} />
          ))}
        </ul>
        <Notes stats={stats} campaignId={campaign.id} />
      </Stack>
    </Card>
  );
}

function headline(stats: Stats): string {
  const percent = progressOf(stats);
  switch (stats.status) {
    case 'running':
      return stats.planned === 0 ? 'Starting: the audience is being gone through' : `Running, ${percent} % decided`;
    case 'paused':
      return `Paused at ${percent} %`;
    case 'cancelled':
      return stats.waiting + stats.sending + stats.held > 0 ? 'Cancelled: the rest is being taken back' : 'Cancelled';
    case 'done':
      return 'Finished';
    case 'draft':
      return 'Not started';
  }
}

/** Which messages of the ledger a part of the bar stands for; what is on the wire has no state of its own there. */
const stateOfPart: Readonly<Partial<Record<Part['key'], string>>> = {
  waiting: 'planned',
  sending: 'sending',
};

function LegendItem({ part, campaignId }: { part: Part; campaignId: string }) {
  const state = stateText(part.key);
  return (
    <li className={classes['item'] ?? ''} title={state.meaning}>
      <span
        className={classes['swatch'] ?? ''}
        style={{ background: `var(--mantine-color-${colours[part.key].replace('.', '-')})` }}
        aria-hidden
      />
      {/* Sent messages move on to delivered or bounced, so their list is not narrowed to one state. */}
      <TextLink
        to="/messages"
        search={
          { campaignId, ...(part.key === 'accepted' ? {} : { state: stateOfPart[part.key] ?? part.key }) } as never
        }
      >
        {state.label}
      </TextLink>
      <strong>
        <NumberText value={part.count} />
      </strong>
    </li>
  );
}

function Notes({ stats, campaignId }: { stats: Stats; campaignId: string }) {
  if (stats.status === 'paused') {
    return (
      <Text size="sm" c="dimmed">
        What was on the wire ends; nothing new begins until you resume. It can stay paused as long as you like.
      </Text>
    );
  }
  if (stats.unknown === 0) return null;
  return (
    <Alert color="orange" variant="light" title="Some may or may not have arrived">
      The connection or the server broke while <NumberText value={stats.unknown} />{' '}
      {stats.unknown === 1 ? 'message was' : 'messages were'} being handed over. They are not sent again blindly:{' '}
      <TextLink underline="always" c="inherit" to="/messages" search={{ campaignId, state: 'unknown' } as never}>
        decide about them
      </TextLink>
      .
    </Alert>
  );
}
