import { Button, Card, Group, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import type { Problem } from './draft.rules.ts';

const places: Readonly<Record<string, string>> = {
  subject: 'Subject',
  preheader: 'Preview line',
  mjml: 'Design',
  html: 'Design',
  text: 'Plain text',
};

/** What is wrong, where; an error stops saving or sending, a warning does not. */
export function ProblemList(props: { problems: readonly Problem[]; onJump: (problem: Problem) => void }) {
  const errors = props.problems.filter((problem) => problem.severity === 'error').length;
  const warnings = props.problems.length - errors;
  return (
    <Card withBorder aria-live="polite">
      <Group gap="xs">
        {errors > 0 ? (
          <IconCircleX size={20} color="var(--mantine-color-error)" aria-hidden />
        ) : (
          <IconCircleCheck size={20} color="var(--mantine-color-teal-7)" aria-hidden />
        )}
        <Title order={2} size="h5">
          {props.problems.length === 0 ? 'No problems' : problemCount(errors, warnings)}
        </Title>
      </Group>
      <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
        {props.problems.map((problem) => (
          <ProblemRow
            key={`${problem.where} ${problem.line} ${problem.message}`}
            problem={problem}
            onJump={props.onJump}
          />
        ))}
      </ul>
    </Card>
  );
}

function problemCount(errors: number, warnings: number): string {
  const parts = [
    ...(errors > 0 ? [`${errors} ${errors === 1 ? 'error' : 'errors'}`] : []),
    ...(warnings > 0 ? [`${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`] : []),
  ];
  return parts.join(', ');
}

function ProblemRow({ problem, onJump }: { problem: Problem; onJump: (problem: Problem) => void }) {
  const isError = problem.severity === 'error';
  const place =
    (places[problem.where] ?? problem.where.replaceAll('/', ' › ')) +
    (problem.line === null ? '' : `, line ${problem.line}`);
  return (
    <li>
      <Group gap="xs" wrap="nowrap" align="flex-start" mt="xs">
        {isError ? (
          <IconCircleX
            size={18}
            color="var(--mantine-color-error)"
            style={{ flex: 'none' }}
            role="img"
            aria-label="Error"
          />
        ) : (
          <IconAlertTriangle
            size={18}
            color="var(--mantine-color-yellow-7)"
            style={{ flex: 'none' }}
            role="img"
            aria-label="Warning"
          />
        )}
        <div>
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {problem.message}
          </Text>
          {problem.line === null ? (
            <Text size="sm" c="dimmed">
              {place}
            </Text>
          ) : (
            <Button size="compact-xs" variant="subtle" px={0} onClick={() => onJump(problem)}>
              {place}
            </Button>
          )}
        </div>
      </Group>
    </li>
  );
}
