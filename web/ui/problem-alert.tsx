import { Alert, Button, List } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { ApiProblem } from '../api.ts';

const problemOf = (error: unknown) =>
  error instanceof ApiProblem
    ? error
    : new ApiProblem({
        status: 0,
        title: 'Something went wrong on this page',
        detail: error instanceof Error ? error.message : String(error),
        code: 'dashboard/bug',
      });

/** A problem with its title, its detail and what is wrong where; nothing when there is none. */
export function ProblemAlert({ problem: given, onRetry }: { problem: unknown; onRetry?: (() => void) | undefined }) {
  if (given === null || given === undefined) return null;
  const problem = problemOf(given);
  // The detail often is the list in one line, or the one entry in a sentence: nobody needs to read it twice.
  const isSummary = problem.code === 'invalid-input' && problem.errors.length > 0;
  const errors = isSummary ? problem.errors : problem.errors.filter(({ message }) => !problem.detail.includes(message));
  return (
    <Alert role="alert" color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={problem.title}>
      {!isSummary && problem.detail}
      {errors.length > 0 && (
        <List size="sm" mt="xs">
          {errors.slice(0, 20).map((error) => (
            <List.Item key={`${error.pointer} ${error.message}`}>
              {error.pointer !== '' && <strong>{error.pointer.replace(/^\//, '').replaceAll('/', ' › ')} </strong>}
              {error.message}
            </List.Item>
          ))}
        </List>
      )}
      {problem.retryAfterSeconds !== undefined && ` Try again in ${problem.retryAfterSeconds} seconds.`}
      {onRetry && (
        <div>
          <Button mt="sm" size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        </div>
      )}
    </Alert>
  );
}
