import type { CompiledLink } from './links.rules.ts';
import type { CompiledVariable } from './variables.rules.ts';

/** What is stored with a version: Liquid ready to render, links taken out, everything a mail must carry put in. */
export interface CompiledTemplate {
  readonly format: 1;
  readonly locale: string;
  readonly subject: string;
  readonly html: string | null;
  readonly text: string;
  readonly links: readonly CompiledLink[];
  readonly variables: readonly CompiledVariable[];
}
