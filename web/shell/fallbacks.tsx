import { Box, Button, Center, Loader, Stack, Text, Title } from '@mantine/core';
import { Link, type ErrorComponentProps, useMatches, useRouter } from '@tanstack/react-router';
import { ProblemAlert } from '../ui/problem-alert.tsx';

export function RouteLoading() {
  return (
    <Center mih="40vh" role="status" aria-label="Loading">
      <Loader />
    </Center>
  );
}

export function RouteFailure({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const again = () => {
    reset();
    void router.invalidate();
  };
  return (
    <Box maw={640} mx="auto" p="lg">
      <ProblemAlert problem={error} onRetry={again} />
    </Box>
  );
}

export function NotFound() {
  const isInside = useMatches().some((match) => match.routeId === '/app');
  return (
    <Center mih="60vh" component={isInside ? 'div' : 'main'}>
      <Stack align="center" gap="xs" p="lg">
        <Title order={1} size="h2">
          There is nothing here
        </Title>
        <Text c="dimmed" ta="center">
          The link may be old, or what it showed was removed.
        </Text>
        <Button renderRoot={(props: object) => <Link to="/" {...props} />} mt="md">
          Go to the overview
        </Button>
      </Stack>
    </Center>
  );
}
