import { QueryClient, queryOptions } from '@tanstack/react-query';
import { api, ApiProblem, type Answer, type Args, type Given, type RouteName } from './api.ts';

const isPassing = (error: unknown) => error instanceof ApiProblem && (error.status === 0 || error.status >= 502);

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => isPassing(error) && failures < 3,
      refetchOnWindowFocus: true,
    },
    mutations: { retry: false },
  },
});

/** The key of what a GET route answers: `[noun, route, given]`, so that `['contacts']` covers all of `/contacts/...`. */
export function keyOf<N extends RouteName>(name: N, ...[given]: Args<N>) {
  const noun = name.split('/')[1] ?? '';
  return [noun, name, (given ?? {}) as Given<N>] as const;
}

/** What `useQuery` needs for a GET route: `useQuery(ask('GET /contacts/:id', { params: { id } }))`. */
export function ask<N extends RouteName & `GET ${string}`>(name: N, ...[given]: Args<N>) {
  return queryOptions({
    queryKey: keyOf(name, ...([given] as Args<N>)),
    queryFn: ({ signal }): Promise<Answer<N>> => api(name, ...([{ ...given, signal }] as unknown as Args<N>)),
  });
}

/** After a change: everything below these nouns (`'contacts'`, `'topics'`) is asked again where it is shown. */
export async function refresh(...nouns: string[]): Promise<void> {
  await Promise.all(nouns.map((noun) => queryClient.invalidateQueries({ queryKey: [noun] })));
}
