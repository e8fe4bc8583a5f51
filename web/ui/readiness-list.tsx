import { List, Stack, Text, ThemeIcon } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconQuestionMark, IconX } from '@tabler/icons-react';
import type { Readiness } from '../../contract/actor.ts';

const looks = {
  ok: { icon: IconCheck, color: 'teal', word: 'Fine' },
  warning: { icon: IconAlertTriangle, color: 'yellow', word: 'Warning' },
  problem: { icon: IconX, color: 'red', word: 'Problem' },
  unknown: { icon: IconQuestionMark, color: 'gray', word: 'Not known' },
} as const;

/** What a mailbox provider would object to, and how to put it right. */
export function ReadinessList({ readiness }: { readiness: Readiness }) {
  return (
    <List spacing="sm" center={false} listStyleType="none">
      {readiness.items.map((item) => {
        const look = looks[item.state];
        return (
          <List.Item
            key={item.key}
            icon={
              <ThemeIcon color={look.color} variant="light" size={26} radius="xl">
                <look.icon size={16} role="img" aria-label={look.word} />
              </ThemeIcon>
            }
          >
            <Stack gap={0}>
              <Text size="sm" fw={600}>
                {item.title}
              </Text>
              <Text size="sm" c="dimmed">
                {item.detail}
              </Text>
              {item.fix && item.state !== 'ok' && <Text size="sm">{item.fix}</Text>}
            </Stack>
          </List.Item>
        );
      })}
    </List>
  );
}
