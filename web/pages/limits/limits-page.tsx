import { Stack } from '@mantine/core';
import { IconGauge } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { ask } from '../../query.ts';
import { RouteLoading } from '../../shell/fallbacks.tsx';
import { EmptyState, LinkButton, PageHeader, ProblemAlert } from '../../ui/index.ts';
import { LaneCard } from './lane-card.tsx';

/** Every account as a lane: what it may send, what it has sent of it, and how it does. */
export function LimitsPage() {
  const lanes = useQuery({ ...ask('GET /rate-limits'), refetchInterval: 5_000 });
  if (lanes.isPending) return <RouteLoading />;
  return (
    <>
      <PageHeader
        title="Limits"
        description="Each account is a lane with a speed of its own. No window ever holds more than its limit, whatever restarts."
      />
      <ProblemAlert problem={lanes.error} onRetry={() => void lanes.refetch()} />
      {lanes.data?.data.length === 0 && (
        <EmptyState
          icon={IconGauge}
          title="No account yet"
          action={<LinkButton to="/settings/accounts">Connect an account</LinkButton>}
        >
          Limits belong to the accounts you send with.
        </EmptyState>
      )}
      <Stack gap="lg">
        {lanes.data?.data.map((lane) => (
          <LaneCard key={lane.lane} lane={lane} />
        ))}
      </Stack>
    </>
  );
}
