import { Box, SegmentedControl, Select, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../../../api.ts';
import { ask, refresh } from '../../../query.ts';
import { channelNames, channels, type Channel } from '../../../ui/channels.ts';
import { PageHeader, ProblemAlert, Section, tell, useUrlState } from '../../../ui/index.ts';
import { AccountForm } from './account-form.tsx';
import { creationOf } from './account-values.ts';

/** The vendor is chosen first, by channel; its form follows from its schema. */
export function NewAccount() {
  const navigate = useNavigate();
  const { values } = useUrlState();
  const wanted = channelNames.find((one) => one === values['channel']) ?? 'email';
  const [channel, setChannel] = useState<Channel>(wanted);
  const [chosen, setChosen] = useState<string>();
  const [key] = useState(() => crypto.randomUUID());
  const kinds = useQuery({ ...ask('GET /providers/kinds'), staleTime: Infinity });
  const offered = kinds.data?.data.filter((one) => one.channel === channel) ?? [];
  const provider = offered.find((one) => one.kind === chosen) ?? offered[0];
  return (
    <>
      <PageHeader
        title="New account"
        crumbs={[{ label: 'Accounts', to: '/settings/accounts' }]}
        description="After saving you can test it, and choose when it is used."
      />
      <ProblemAlert problem={kinds.error} onRetry={() => void kinds.refetch()} />
      <Box maw={900}>
        <Stack gap="lg">
          <Section title="Kind">
            <Stack gap="sm">
              <SegmentedControl
                aria-label="Channel"
                style={{ alignSelf: 'flex-start', flexWrap: 'wrap' }}
                data={channelNames.map((one) => ({ value: one, label: channels[one].label }))}
                value={channel}
                onChange={(next) => setChannel(next)}
              />
              <Select
                label="Provider"
                allowDeselect={false}
                maw={420}
                data={offered.map((one) => ({ value: one.kind, label: one.title }))}
                value={provider?.kind ?? null}
                onChange={(next) => setChosen(next ?? undefined)}
              />
            </Stack>
          </Section>
          {provider && (
            <AccountForm
              key={provider.kind}
              provider={provider}
              saveLabel="Save account"
              onSave={async (kind, values) => {
                const made = await api('POST /providers', {
                  body: creationOf(kind, values),
                  idempotencyKey: `${key}-${provider.kind}`,
                });
                await refresh('providers', 'rate-limits', 'dashboard');
                tell.done('The account is saved. Test it before you use it.');
                await navigate({ to: '/settings/accounts/$id', params: { id: made.id }, ignoreBlocker: true });
              }}
            />
          )}
        </Stack>
      </Box>
    </>
  );
}
