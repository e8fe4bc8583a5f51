import { Box, Card, Group, Stack, Text, Title } from '@mantine/core';
import { useEffect, type ReactNode } from 'react';

/** The card that stands alone before somebody is in. */
export function Door({ title, children, intro }: { title: string; intro?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Parley`;
  }, [title]);
  return (
    <Box component="main" mih="100dvh" px="md" py={{ base: 'lg', sm: 64 }}>
      <Stack maw={440} mx="auto" gap="lg">
        <Group gap="sm" justify="center">
          <img src="/parley.svg" alt="" width={36} height={36} />
          <Text fw={700} size="xl">
            Parley
          </Text>
        </Group>
        <Card withBorder padding="xl" shadow="sm">
          <Stack>
            <div>
              <Title order={1} size="h3">
                {title}
              </Title>
              {intro && (
                <Text c="dimmed" size="sm" mt={4} component="div">
                  {intro}
                </Text>
              )}
            </div>
            {children}
          </Stack>
        </Card>
      </Stack>
    </Box>
  );
}
