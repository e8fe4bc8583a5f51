import { Alert, Button, Group, Progress, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import type { Lane } from '../../../contract/rate-limits.ts';
import { api } from '../../api.ts';
import { refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { NumberText, Section, StateBadge, tell, TimeText } from '../../ui/index.ts';
import { LimitsForm } from './limits-form.tsx';
import { breakerText, periodText } from './limits.rules.ts';

export function LaneCard({ lane }: { lane: Lane }) {
  const can = useCan();
  const [isEditing, editing] = useDisclosure(false);
  const turn = useMutation({
    mutationFn: (action: 'pause' | 'resume') =>
      action === 'pause'
        ? api('POST /rate-limits/:lane/pause', { params: { lane: lane.lane } })
        : api('POST /rate-limits/:lane/resume', { params: { lane: lane.lane } }),
    onSuccess: () => refresh('rate-limits', 'providers'),
    onError: tell.problem,
  });
  const action = lane.state === 'paused' ? 'resume' : 'pause';
  return (
    <Section
      title={lane.name}
      description={
        <Group gap="xs" component="span">
          <StateBadge
            state={lane.state === 'open' ? 'active' : lane.state}
            label={lane.state === 'open' ? 'sending' : lane.state}
          />
          <span>{lane.channel}</span>
          <span>
            <NumberText value={lane.waiting} /> waiting on the channel
          </span>
        </Group>
      }
      actions={
        can('limits:write') && (
          <>
            <Button
              size="xs"
              variant="default"
              loading={turn.isPending}
              onClick={() => turn.mutate(action)}
              aria-label={`${action === 'pause' ? 'Pause' : 'Resume'} ${lane.name}`}
            >
              {action === 'pause' ? 'Pause' : 'Resume'}
            </Button>
            <Button
              size="xs"
              variant="default"
              onClick={editing.toggle}
              aria-expanded={isEditing}
              aria-label={`Change limits of ${lane.name}`}
            >
              Change limits
            </Button>
          </>
        )
      }
    >
      <Stack gap="md">
        <Standing lane={lane} />
        <Alerts lane={lane} />
        <Bars lane={lane} />
        <WarmupLine lane={lane} />
        {isEditing && <LimitsForm lane={lane} onDone={editing.close} />}
      </Stack>
    </Section>
  );
}

function Standing({ lane }: { lane: Lane }) {
  return (
    <Text size="sm" role="status">
      {breakerText(lane)}
      {lane.coolUntil !== null && (
        <>
          {' '}
          Until <TimeText at={lane.coolUntil} />.
        </>
      )}
    </Text>
  );
}

const limitNames = { hour: 'hour’s limit', day: 'day’s limit', 'warm-up': 'warm-up’s limit for today' } as const;

function Alerts({ lane }: { lane: Lane }) {
  // What is reached was near before: said once.
  const shown = lane.alerts.filter(
    (one) =>
      one.level === 'reached' || !lane.alerts.some((other) => other.limit === one.limit && other.level === 'reached'),
  );
  return shown.map((one) => (
    <Alert
      key={`${one.limit} ${one.level}`}
      color={one.level === 'reached' ? 'red' : 'yellow'}
      variant="light"
      title={`The ${limitNames[one.limit]} is ${one.level === 'reached' ? 'reached' : 'four fifths used'}`}
    >
      Since <TimeText at={one.at} />.{' '}
      {one.level === 'reached'
        ? 'What waits goes out as the oldest sends leave the window; a little is kept for one-time codes and transactional messages.'
        : 'Raise the limit, or add an account to the route, if more is to go out.'}
    </Alert>
  ));
}

function Bars({ lane }: { lane: Lane }) {
  if (lane.limits.length === 0)
    return (
      <Text size="sm" c="dimmed">
        No limit on how many messages this account sends.
      </Text>
    );
  return (
    <Stack gap="xs">
      {lane.limits.map(({ perSeconds, limit, remaining, isWarmup }) => {
        const used = Math.max(0, limit - remaining);
        const percent = Math.min(100, Math.round((100 * used) / limit));
        const name = isWarmup ? 'Warm-up, today' : `Per ${periodText(perSeconds)}`;
        return (
          <div key={`${perSeconds} ${isWarmup}`}>
            <Group justify="space-between" gap="xs">
              <Text size="sm">{name}</Text>
              <Text size="sm" c="dimmed">
                <NumberText value={used} /> of <NumberText value={limit} /> used
              </Text>
            </Group>
            <Progress
              value={percent}
              size="md"
              color={percent >= 98 ? 'red' : percent >= 80 ? 'yellow' : 'teal'}
              aria-label={`${name}: ${percent} % of ${lane.name} used`}
            />
          </div>
        );
      })}
    </Stack>
  );
}

function WarmupLine({ lane: { warmup } }: { lane: Lane }) {
  if (warmup === null) return null;
  const days = warmup.ceilings.length;
  return (
    <Text size="sm">
      {warmup.isOver
        ? 'The warm-up plan is over: it limits nothing any more.'
        : warmup.day === 0
          ? `Warm-up starts on ${warmup.startsOn}; until then the first day’s limit holds.`
          : `Warm-up: day ${warmup.day} of ${days}.`}
    </Text>
  );
}
