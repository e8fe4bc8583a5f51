import { keepPreviousData, useQuery, type QueryFunction, type UseQueryResult } from '@tanstack/react-query';
import type { Answer, Args, RouteName } from './api.ts';
import { ask } from './query.ts';
import type { Filter, UrlStateHandle } from './ui/index.ts';

type Page<Row = unknown> = { data: Row[]; nextCursor: string | null };
type ListName = { [N in RouteName & `GET ${string}`]: Answer<N> extends Page ? N : never }[RouteName & `GET ${string}`];
type RowOf<N extends ListName> = Answer<N> extends { data: (infer Row)[] } ? Row : never;

/** Live news come faster; this is for when they do not get through. */
const pollMs = 4_000;

interface ListOptions<Row> {
  /** Those of the table whose keys are the route's own. */
  readonly filters?: readonly Filter[];
  /** What changes by itself: while such a row is shown, the page is asked for again. */
  readonly isMoving?: (row: Row) => boolean;
}

/** The page of a list that the address asks for. What was shown stays until the next page is there. */
export function useList<N extends ListName>(
  name: N,
  url: UrlStateHandle,
  { filters = [], isMoving }: ListOptions<RowOf<N>> = {},
): UseQueryResult<Page<RowOf<N>>> {
  const keys = ['cursor', ...filters.map((filter) => filter.key)];
  const query = Object.fromEntries(keys.flatMap((key) => (url.values[key] ? [[key, url.values[key]]] : [])));
  // The address is anybody's to write: what the route does not take, it says so itself.
  const { queryKey, queryFn } = ask(name, ...([{ query }] as unknown as Args<N>));
  return useQuery({
    queryKey,
    // The name is one of a list, so what it answers is a page.
    queryFn: queryFn as unknown as QueryFunction<Page<RowOf<N>>>,
    placeholderData: keepPreviousData,
    refetchInterval: (known) => (isMoving && known.state.data?.data.some(isMoving) ? pollMs : false),
  });
}
