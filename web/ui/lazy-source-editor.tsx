import { Skeleton } from '@mantine/core';
import { lazy, Suspense } from 'react';
import type { SourceEditorProps } from './source-editor.tsx';

const Loaded = lazy(async () => ({ default: (await import('./source-editor.tsx')).SourceEditor }));

/** The source editor, fetched when first shown; until then a placeholder of the same height. */
export function LazySourceEditor(props: SourceEditorProps) {
  return (
    <Suspense fallback={<Skeleton height={props.height ?? '560px'} aria-label="The editor is loading" />}>
      <Loaded {...props} />
    </Suspense>
  );
}
