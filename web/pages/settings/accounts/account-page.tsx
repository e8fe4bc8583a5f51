import { Button, Grid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import type { Account } from '../../../../contract/providers.ts';
import { api } from '../../../api.ts';
import { ask, refresh } from '../../../query.ts';
import { RouteLoading } from '../../../shell/fallbacks.tsx';
import { useCan } from '../../../shell/me.ts';
import { confirm, CopyText, PageHeader, ProblemAlert, ReadinessList, Section, tell } from '../../../ui/index.ts';
import { AccountForm } from './account-form.tsx';
import { changeOf } from './account-values.ts';
import { Health } from './health.tsx';
import { LaneBadge } from './lane.tsx';
import { TestAccount } from './test-account.tsx';

const route = getRouteApi('/app/settings/accounts/$id');

export function AccountPage() {
  const { id } = route.useParams();
  const account = useQuery(ask('GET /providers/:id', { params: { id } }));
  const kinds = useQuery({ ...ask('GET /providers/kinds'), staleTime: Infinity });
  const provider = kinds.data?.data.find((one) => one.kind === account.data?.kind);
  if (account.isPending || kinds.isPending) return <RouteLoading />;
  return (
    <>
      <PageHeader
        title={account.data?.name ?? 'Account'}
        crumbs={[{ label: 'Accounts', to: '/settings/accounts' }]}
        badge={account.data && <LaneBadge accountId={id} />}
        actions={account.data && <Actions account={account.data} />}
      />
      <ProblemAlert problem={account.error} onRetry={() => void account.refetch()} />
      {account.data && provider && (
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, lg: 7 }}>
            <AccountForm
              key={account.data.revision}
              provider={provider}
              account={account.data}
              saveLabel="Save changes"
              onSave={async (kind, values) => {
                const body = changeOf(kind, values, account.data);
                await api('PATCH /providers/:id', { params: { id }, body, ifMatch: account.data.revision });
                await refresh('providers', 'rate-limits');
                tell.done('The account is saved.');
              }}
            />
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 5 }}>
            <Stack gap="lg">
              {provider.callbacks !== null && <Callbacks url={account.data.callbackUrl} setUp={provider.callbacks} />}
              <TestAccount id={id} channel={account.data.channel} />
              <Health id={id} />
              <Readiness id={id} />
            </Stack>
          </Grid.Col>
        </Grid>
      )}
    </>
  );
}

/** How the vendor tells what became of messages. */
function Callbacks({ url, setUp }: { url: string | null; setUp: string }) {
  return (
    <Section title="Callbacks" description="How the vendor tells what became of a message, and what people answer.">
      <Stack gap="xs">
        {url === null ? (
          <Text size="sm">
            Vendors call back over HTTPS only: give this Parley a public address (PARLEY_URL), then it is shown here.
          </Text>
        ) : (
          <CopyText value={url} label="the callback address" />
        )}
        <Text size="sm" c="dimmed">
          {setUp}
        </Text>
      </Stack>
    </Section>
  );
}

function Readiness({ id }: { id: string }) {
  const readiness = useQuery({ ...ask('GET /providers/:id/readiness', { params: { id } }), staleTime: 60_000 });
  return (
    <Section
      title="Ready to send?"
      description="What stands in the way, or will hurt delivery."
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
