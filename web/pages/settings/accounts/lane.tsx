import { Button, Group } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { Lane } from '../../../../contract/rate-limits.ts';
import { api } from '../../../api.ts';
import { ask, refresh } from '../../../query.ts';
import { useCan } from '../../../shell/me.ts';
import { StateBadge, tell } from '../../../ui/index.ts';

export function useLane(accountId: string): Lane | undefined {
  const lanes = useQuery({ ...ask('GET /rate-limits'), refetchInterval: 15_000 });
  return lanes.data?.data.find((lane) => lane.lane === accountId);
}

/** Whether an account sends, and the button that stops or restarts it. */
export function LaneBadge({ accountId }: { accountId: string }) {
  const lane = useLane(accountId);
  const can = useCan();
  const turn = useMutation({
    mutationFn: (action: 'pause' | 'resume') =>
      action === 'pause'
        ? api('POST /rate-limits/:lane/pause', { params: { lane: accountId } })
        : api('POST /rate-limits/:lane/resume', { params: { lane: accountId } }),
    onSuccess: () => refresh('rate-limits', 'providers'),
    onError: tell.problem,
  });
  if (!lane) return null;
  const action = lane.state === 'paused' ? 'resume' : 'pause';
  return (
    <Group gap="xs">
      <StateBadge
        state={lane.state === 'open' ? 'active' : lane.state}
        label={lane.state === 'open' ? 'sending' : lane.state}
      />
      {can('limits:write') && (
        <Button
          size="compact-xs"
          variant="default"
          loading={turn.isPending}
          onClick={() => turn.mutate(action)}
          aria-label={`${action === 'pause' ? 'Pause' : 'Resume'} ${lane.name}`}
        >
          {action === 'pause' ? 'Pause' : 'Resume'}
        </Button>
      )}
    </Group>
  );
}
