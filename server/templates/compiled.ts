import type { ContentSource } from '../../contract/template-content.ts';
import type { PartKind } from './content.rules.ts';
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

/** The same of what is no e-mail: the content as it was written, and the Liquid of each of its places. */
export interface CompiledContent {
  readonly format: 1;
  readonly channel: ContentSource['channel'];
  readonly locale: string;
  readonly content: ContentSource;
  readonly parts: readonly { readonly path: string; readonly kind: PartKind; readonly liquid: string }[];
  readonly links: readonly CompiledLink[];
  readonly variables: readonly CompiledVariable[];
}

export type AnyCompiled = CompiledTemplate | CompiledContent;

export function isContent(compiled: AnyCompiled): compiled is CompiledContent {
  return 'channel' in compiled;
}
