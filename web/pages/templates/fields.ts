import type { Problem } from './draft.rules.ts';

/** What the fields of every channel are given. */
export interface FieldsProps<Source> {
  readonly source: Source;
  readonly onChange: (source: Source) => void;
  readonly isEditable: boolean;
  readonly problems: readonly Problem[];
}

/** What is wrong in one place. */
export function errorIn(problems: readonly Problem[], where: string): string | undefined {
  return problems.find((one) => one.where === where && one.severity === 'error')?.message;
}
