import { useSuspenseQuery } from '@tanstack/react-query';
import type { Me } from '../../contract/auth.ts';
import type { Permission } from '../../contract/permissions.ts';
import { ask } from '../query.ts';

export const askMe = () => ({ ...ask('GET /me'), staleTime: 60_000 });

/** Who is signed in. Only below the app's route, which makes sure that somebody is. */
export function useMe(): Me {
  return useSuspenseQuery(askMe()).data;
}

/** `can('contacts:write')`: whether to offer something. The server decides all the same. */
export function useCan(): (permission: Permission) => boolean {
  const { permissions } = useMe();
  return (permission) => permissions.includes(permission);
}
