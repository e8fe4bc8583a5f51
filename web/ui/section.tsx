import { Card, Group, Text, Title } from '@mantine/core';
import { useId, type ReactNode } from 'react';

/** One block of a page: a card with its own heading, that screen readers find as a region. */
export function Section(props: { title: string; description?: ReactNode; actions?: ReactNode; children?: ReactNode }) {
  const id = useId();
  return (
    <Card withBorder padding="lg" component="section" aria-labelledby={id}>
      <Group justify="space-between" align="flex-start" mb={props.children ? 'md' : 0} gap="sm">
        <div style={{ flex: '1 1 260px' }}>
          <Title order={2} size="h4" id={id}>
            {props.title}
          </Title>
          {props.description && (
            <Text size="sm" c="dimmed" component="div" maw={640}>
              {props.description}
            </Text>
          )}
        </div>
        {props.actions && <Group gap="sm">{props.actions}</Group>}
      </Group>
      {props.children}
    </Card>
  );
}
