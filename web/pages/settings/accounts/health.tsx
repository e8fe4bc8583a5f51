import { SimpleGrid, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ask } from '../../../query.ts';
import { NumberText, ProblemAlert, Section, StateBadge, TimeText } from '../../../ui/index.ts';

/** How the account has been doing. */
export function Health({ id }: { id: string }) {
  const health = useQuery({ ...ask('GET /providers/:id/health', { params: { id } }), refetchInterval: 15_000 });
  const { data } = health;
  return (
    <Section title="The last hour" actions={data && <StateBadge state={data.state} />}>
      <ProblemAlert problem={health.error} />
      {data && (
        <>
          <SimpleGrid component="dl" cols={3} m={0}>
            <Fact label="Accepted" value={data.accepted} />
            <Fact label="Failed" value={data.failed} />
            <Fact label="In doubt" value={data.unknown} />
          </SimpleGrid>
          <Text size="sm" c="dimmed" mt="sm" component="div">
            Last accepted <TimeText at={data.lastAcceptedAt} relative />
            {data.lastFailureAt && (
              <div>
                Last failure <TimeText at={data.lastFailureAt} relative />: {data.lastFailure}
              </div>
            )}
          </Text>
        </>
      )}
    </Section>
  );
}

function Fact({ label, value }: { label: string; value: number }) {
  return (
    <div>
      <Text component="dt" size="sm" c="dimmed">
        {label}
      </Text>
      <Text component="dd" m={0} fz={22} fw={650}>
        <NumberText value={value} />
      </Text>
    </div>
  );
}
