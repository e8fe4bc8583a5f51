import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { api } from '../../../api.ts';
import { ask, refresh } from '../../../query.ts';
import { ProblemAlert, Section, tell, TimeText } from '../../../ui/index.ts';
import { agentInWords } from './agent.ts';

export function Sessions() {
  const sessions = useQuery(ask('GET /auth/sessions'));
  const change = useMutation({
    /** One session, or all the others. */
    mutationFn: async (id?: string) => {
      if (id === undefined) await api('DELETE /auth/sessions');
      else await api('DELETE /auth/sessions/:id', { params: { id } });
    },
    onSuccess: () => refresh('auth'),
    onError: tell.problem,
  });
  const list = sessions.data?.data ?? [];
  return (
    <Section
      title="Where you are signed in"
      actions={
        list.length > 1 && (
          <Button variant="default" loading={change.isPending} onClick={() => change.mutate(undefined)}>
            Sign out everywhere else
          </Button>
        )
      }
    >
      <ProblemAlert problem={sessions.error} onRetry={() => void sessions.refetch()} />
      <Stack component="ul" gap="sm" p={0} m={0} style={{ listStyle: 'none' }}>
        {list.map((session) => (
          <Group component="li" key={session.id} justify="space-between" gap="sm">
            <div>
              <Group gap="xs">
                <Text size="sm" fw={600}>
                  {agentInWords(session.userAgent)}
                </Text>
                {session.current && (
                  <Badge variant="light" color="teal" tt="none">
                    This one
                  </Badge>
                )}
              </Group>
              <Text size="sm" c="dimmed" component="div">
                {session.ip ?? 'unknown address'} · last seen <TimeText at={session.lastSeenAt} relative />
              </Text>
            </div>
            {!session.current && (
              <Button
                size="xs"
                variant="default"
                onClick={() => change.mutate(session.id)}
                aria-label={`Sign out ${agentInWords(session.userAgent)} at ${session.ip ?? 'an unknown address'}`}
              >
                Sign out
              </Button>
            )}
          </Group>
        ))}
      </Stack>
    </Section>
  );
}
