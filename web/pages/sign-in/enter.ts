import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';

/** Only ways inside the dashboard: `//host` and `https://host` would lead a just signed-in person away. */
export function insideOnly(next: string | undefined): string {
  return next !== undefined && /^\/(?![/\\])/.test(next) ? next : '/';
}

/** What happens once a session exists: everything known about the one before is forgotten, and the page opens. */
export function useEnter(): (next?: string) => Promise<void> {
  const queryClient = useQueryClient();
  const router = useRouter();
  return async (next) => {
    queryClient.clear();
    router.history.push(insideOnly(next));
    await router.invalidate();
  };
}
