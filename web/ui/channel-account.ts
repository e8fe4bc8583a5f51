import { queryOptions } from '@tanstack/react-query';
import type { Account } from '../../contract/providers.ts';
import { api } from '../api.ts';

/** The account a channel tries first: what a screen needs to say whether something really leaves the house. */
export function askChannelAccount(channel: Account['channel']) {
  return queryOptions({
    queryKey: ['routes', 'first account', channel],
    queryFn: async ({ signal }): Promise<Account | null> => {
      const route = await api('GET /routes/:channel', { params: { channel }, signal });
      const first = route.accountIds[0];
      return first === undefined ? null : api('GET /providers/:id', { params: { id: first }, signal });
    },
  });
}
