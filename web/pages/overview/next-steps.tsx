import { Button, Card, Group, Progress, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { Overview } from '../../../contract/overview.ts';
import { steps } from './steps.ts';

/** What to do next, in order; the first open step stands out. */
export function NextSteps({ nextSteps }: { nextSteps: Overview['nextSteps'] }) {
  const done = nextSteps.filter((step) => step.done).length;
  const next = nextSteps.find((step) => !step.done)?.key;
  return (
    <Card withBorder padding="lg" component="section" aria-labelledby="next-steps">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4" id="next-steps">
          {next ? 'What to do next' : 'You are all set'}
        </Title>
        <Text size="sm" c="dimmed">
          {done} of {nextSteps.length} done
        </Text>
      </Group>
      <Progress
        value={(100 * done) / Math.max(1, nextSteps.length)}
        mb="md"
        aria-label="Steps done"
        color="teal"
        size="sm"
      />
      <Stack component="ol" gap={4} p={0} m={0} style={{ listStyle: 'none' }}>
        {nextSteps.map(({ key, done: isDone }) => (
          <NextStep key={key} stepKey={key} isDone={isDone} isNext={key === next} />
        ))}
      </Stack>
    </Card>
  );
}

function NextStep(props: { stepKey: keyof typeof steps; isDone: boolean; isNext: boolean }) {
  const step = steps[props.stepKey];
  const StepIcon = props.isDone ? IconCheck : step.icon;
  return (
    <Group
      component="li"
      align="center"
      gap="md"
      p="xs"
      bg={props.isNext ? 'var(--mantine-primary-color-light)' : ''}
      style={{ borderRadius: 'var(--mantine-radius-md)' }}
    >
      <ThemeIcon
        variant={props.isNext ? 'filled' : 'light'}
        color={props.isDone ? 'teal' : 'harbour'}
        radius="xl"
        size={34}
      >
        <StepIcon size={18} aria-hidden />
      </ThemeIcon>
      <div style={{ flex: '1 1 220px', minWidth: 0 }}>
        <Text fw={props.isNext ? 650 : 500} size="sm">
          {step.title}
          {props.isDone && <span> · done</span>}
        </Text>
        {!props.isDone && (
          <Text size="sm" {...(props.isNext ? {} : { c: 'dimmed' })}>
            {step.why}
          </Text>
        )}
      </div>
      {!props.isDone && (
        <Button
          size="xs"
          variant={props.isNext ? 'filled' : 'default'}
          style={{ flex: 'none' }}
          renderRoot={(root: object) => <Link to={step.to} {...root} />}
        >
          {step.action}
        </Button>
      )}
    </Group>
  );
}
