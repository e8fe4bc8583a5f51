import { useQuery } from '@tanstack/react-query';
import { ask } from '../../query.ts';
import { RouteLoading } from '../../shell/fallbacks.tsx';
import { PageHeader, ProblemAlert } from '../../ui/index.ts';

export function Overview() {
  const overview = useQuery(ask('GET /dashboard/overview'));
  if (overview.isPending) return <RouteLoading />;
  return (
    <>
      <PageHeader title="Overview" />
      <ProblemAlert problem={overview.error} />
    </>
  );
}
