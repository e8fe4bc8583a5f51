import type { TemplateProblem } from '../../contract/templates.ts';
import { AppError, defineErrors } from '../platform/errors.ts';

defineErrors({
  'template/invalid': { status: 422, title: 'The template cannot be used as it is' },
  'template/archived': { status: 409, title: 'The template is archived' },
});

export function describe(problem: TemplateProblem): string {
  return problem.line === null ? problem.message : `line ${problem.line}: ${problem.message}`;
}

/** What stops a template from being saved, each with the part and the line. */
export function invalidTemplate(problems: readonly TemplateProblem[]): AppError {
  const errors = problems
    .filter((one) => one.severity === 'error')
    .slice(0, 50)
    .map((one) => ({ pointer: `/${one.where}`, message: describe(one) }));
  const first = errors[0];
  return new AppError('template/invalid', first === undefined ? '' : `${first.pointer.slice(1)}: ${first.message}`, {
    errors,
  });
}
