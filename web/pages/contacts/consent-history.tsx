import { Drawer, Skeleton, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Address } from '../../../contract/contacts.ts';
import { ask } from '../../query.ts';
import { ProblemAlert } from '../../ui/index.ts';
import { HistoryTimeline } from '../consent/history-timeline.tsx';

/** Every entry of the consent ledger for one address, with its evidence. */
export function ConsentHistory({ address, onClose }: { address: Address; onClose: () => void }) {
  const query = useQuery(ask('GET /compliance/consent/:address', { params: { address: address.id } }));
  return (
    <Drawer opened onClose={onClose} position="right" title={`Consent history of ${address.masked}`}>
      <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton height={160} />}
      {query.data?.history.length === 0 && <Text c="dimmed">Nothing was ever recorded for this address.</Text>}
      {query.data && <HistoryTimeline history={query.data.history} />}
    </Drawer>
  );
}
