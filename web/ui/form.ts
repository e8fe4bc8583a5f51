import type { UseFormReturnType } from '@mantine/form';
import { useCallback, useState, type FormEvent } from 'react';
import { ApiProblem } from '../api.ts';

/** `/addresses/0/value` -> `addresses.0.value`: where a form keeps the field a problem points at. */
export function fieldOf(pointer: string): string {
  return pointer
    .replace(/^\/(body\/)?/, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
}

/** Puts each error of a problem at its field; gives back what no field took, for the alert. */
export function placeErrors<Values extends Record<string, unknown>>(
  form: UseFormReturnType<Values>,
  problem: ApiProblem,
): ApiProblem | undefined {
  const placed: Record<string, string> = {};
  const left: { pointer: string; message: string }[] = [];
  for (const error of problem.errors) {
    const field = fieldOf(error.pointer);
    const isField = form.getInputNode(field) !== null || (field.split('.')[0] ?? '') in form.getValues();
    if (field !== '' && isField) placed[field] ??= error.message;
    else left.push(error);
  }
  const first = Object.keys(placed)[0];
  if (first === undefined) return problem;
  form.setErrors(placed);
  form.getInputNode(first)?.focus();
  return left.length > 0
    ? new ApiProblem({ ...problem, errors: left, title: problem.title, detail: problem.detail })
    : undefined;
}

/**
 * Submits a form: `const { submit, busy, problem } = useSubmit(form, async (values) => { await api(...) })`.
 * What the server refuses lands at the fields, the rest in `problem` (for `<ProblemAlert>`); what was typed stays.
 */
export function useSubmit<Values extends Record<string, unknown>>(
  form: UseFormReturnType<Values>,
  work: (values: Values) => Promise<void>,
) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const run = useCallback(
    async (values: Values) => {
      setBusy(true);
      setProblem(undefined);
      try {
        await work(values);
      } catch (error) {
        setProblem(error instanceof ApiProblem ? placeErrors(form, error) : error);
      } finally {
        setBusy(false);
      }
    },
    [form, work],
  );
  const submit = (event?: FormEvent<HTMLFormElement>) => form.onSubmit(run)(event);
  return { submit, busy, problem, setProblem };
}
