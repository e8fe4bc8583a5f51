import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

/** What a page keeps in its address: filters, tab, cursor. Survives reload, back button and being sent to a colleague. */
export type UrlState = Readonly<Record<string, string | undefined>>;

export interface UrlStateHandle {
  readonly values: UrlState;
  /** Changes some; an empty value or undefined drops it. A change of a filter goes back to the first page of the list. */
  set(patch: UrlState): void;
  clear(): void;
}

export function useUrlState(): UrlStateHandle {
  const values = useSearch({ strict: false }) as UrlState;
  const navigate = useNavigate();
  const go = useCallback(
    (next: (before: UrlState) => UrlState, replace: boolean) => {
      void navigate({ to: '.', search: ((before: UrlState) => next(before)) as never, replace, resetScroll: false });
    },
    [navigate],
  );
  const set = useCallback(
    (patch: UrlState) => {
      const isPaging = 'cursor' in patch;
      go((before) => ({ ...before, ...(isPaging ? {} : { cursor: undefined }), ...patch }), !isPaging);
    },
    [go],
  );
  const clear = useCallback(() => go(() => ({}), false), [go]);
  return { values, set, clear };
}
