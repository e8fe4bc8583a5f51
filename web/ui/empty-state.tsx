import { Group, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import type { Icon } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** Nothing here yet: says what would be, and the next step towards it. */
export function EmptyState(props: { icon: Icon; title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py={48} px="md">
      <ThemeIcon size={56} radius="xl" variant="light">
        <props.icon size={28} stroke={1.6} aria-hidden />
      </ThemeIcon>
      <Title order={2} size="h4" ta="center">
        {props.title}
      </Title>
      <Text c="dimmed" ta="center" maw={460}>
        {props.children}
      </Text>
      {props.action && (
        <Group mt="sm" justify="center">
          {props.action}
        </Group>
      )}
    </Stack>
  );
}
