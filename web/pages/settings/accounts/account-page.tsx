import { Button, Grid, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import type { Account } from '../../../../contract/providers.ts';
import { api } from '../../../api.ts';
import { ask, refresh } from '../../../query.ts';
import { RouteLoading } from '../../../shell/fallbacks.tsx';
import { useCan } from '../../../shell/me.ts';
import { confirm, PageHeader, ProblemAlert, ReadinessList, Section, tell } from '../../../ui/index.ts';
import { AccountForm } from './account-form.tsx';
import { changeOf } from './account-values.ts';
import { Health } from './health.tsx';
import { LaneBadge } from './lane.tsx';
import { TestAccount } from './test-account.tsx';

const route = getRouteApi('/app/settings/accounts/$id');

export function AccountPage() {
  const { id } = route.useParams();
  const account = useQuery(ask('GET /providers/:id', { params: { id } }));
  if (account.isPending) return <RouteLoading />;
  return (
    <>
      <PageHeader
        title={account.data?.name ?? 'E-mail account'}
        crumbs={[{ label: 'E-mail accounts', to: '/settings/accounts' }]}
        badge={account.data && <LaneBadge accountId={id} />}
        actions={account.data && <Actions account={account.data} />}
      />
      <ProblemAlert problem={account.error} onRetry={() => void account.refetch()} />
      {account.data && (
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, lg: 7 }}>
            <AccountForm
              key={account.data.revision}
              kind={account.data.kind}
              account={account.data}
              saveLabel="Save changes"
              onSave={async (values) => {
                const { kind, revision } = account.data;
                await api('PATCH /providers/:id', { params: { id }, body: changeOf(kind, values), ifMatch: revision });
                await refresh('providers', 'rate-limits');
                tell.done('The account is saved.');
              }}
            />
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 5 }}>
            <Stack gap="lg">
              <TestAccount id={id} />
              <Health id={id} />
              <Readiness id={id} />
            </Stack>
          </Grid.Col>
        </Grid>
      )}
    </>
  );
}

function Readiness({ id }: { id: string }) {
  const readiness = useQuery({ ...ask('GET /providers/:id/readiness', { params: { id } }), staleTime: 60_000 });
  return (
    <Section
      title="Ready to send?"
      description="What mailbox providers look at before they trust your mail."
      actions={
        <Button size="xs" variant="default" loading={readiness.isFetching} onClick={() => void readiness.refetch()}>
          Check again
        </Button>
      }
    >
      <ProblemAlert problem={readiness.error} />
      {readiness.data && <ReadinessList readiness={readiness.data} />}
    </Section>
  );
}

function Actions({ account }: { account: Account }) {
  const can = useCan();
  const navigate = useNavigate();
  const remove = async () => {
    const isSure = await confirm({
      title: `Remove ${account.name}?`,
      body: 'The account and its stored password are removed. What was sent through it stays accounted for.',
      confirmLabel: 'Remove account',
      danger: true,
      typeToConfirm: account.name,
    });
    if (!isSure) return;
    try {
      await api('DELETE /providers/:id', { params: { id: account.id } });
      await refresh('rate-limits');
      tell.done(`${account.name} is removed.`);
      await navigate({ to: '/settings/accounts' });
      await refresh('providers');
    } catch (error) {
      tell.problem(error);
    }
  };
  if (!can('providers:write')) return null;
  return (
    <Button variant="default" onClick={() => void remove()}>
      Remove
    </Button>
  );
}
