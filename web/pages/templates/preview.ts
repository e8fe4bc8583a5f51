import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api, type Given } from '../../api.ts';
import { previewBody, type Draft, type Reader } from './draft.rules.ts';

type PreviewBody = Given<'POST /templates/preview'>['body'];

/** A preview is a question although it is a POST (a template does not fit into an address). */
export function askPreview(body: PreviewBody) {
  return queryOptions({
    queryKey: ['template-preview', body],
    queryFn: ({ signal }) => api('POST /templates/preview', { body, signal }),
    gcTime: 60_000,
  });
}

const typingPauseMs = 350;

/** What the reader would see of what is in the editor, a moment after the last key stroke. */
export function usePreview(draft: Draft, reader: Reader) {
  const body = useMemo(() => previewBody(draft, reader), [draft, reader]);
  const [settled] = useDebouncedValue(body, typingPauseMs);
  const query = useQuery({ ...askPreview(settled), placeholderData: keepPreviousData, staleTime: 60_000 });
  return { query, isBehind: settled !== body || query.isPlaceholderData };
}
