import { Button, Group, Stack, Table, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconDownload, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ApiProblem, urlOf, type Answer } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import { basisText } from '../../sources.ts';
import { useCan } from '../../shell/me.ts';
import { confirm, EmptyState, ProblemAlert, Section, StateBadge, tell, TextLink, TimeText } from '../../ui/index.ts';
import { HistoryTimeline } from './history-timeline.tsx';

type Consent = Answer<'GET /compliance/consent/:address'>;

/** What one person said, now and over time. The address is kept out of the browser's history on purpose. */
export function LookUp() {
  const [address, setAddress] = useState('');
  const form = useForm({ initialValues: { address: '' } });
  const found = useQuery({
    ...ask('GET /compliance/consent/:address', { params: { address } }),
    enabled: address !== '',
    retry: false,
  });
  const isUnknown = found.error instanceof ApiProblem && found.error.status === 404;
  return (
    <Stack>
      <form onSubmit={form.onSubmit((values) => setAddress(values.address.trim()))}>
        <Group align="flex-end">
          <TextInput
            label="E-mail or phone number"
            description="The whole address: addresses are sealed, parts cannot be searched"
            style={{ flex: '1 1 260px' }}
            maw={480}
            autoComplete="off"
            {...form.getInputProps('address')}
          />
          <Button type="submit" leftSection={<IconSearch size={16} aria-hidden />} loading={found.isFetching}>
            Look up
          </Button>
        </Group>
      </form>
      {isUnknown && (
        <EmptyState icon={IconSearch} title="Nobody here has this address">
          No contact has it, so nothing was ever agreed to and nothing is sent to it.
        </EmptyState>
      )}
      {!isUnknown && <ProblemAlert problem={found.error} onRetry={() => void found.refetch()} />}
      {found.data && <Found address={address} consent={found.data} />}
    </Stack>
  );
}

function Found({ address, consent }: { address: string; consent: Consent }) {
  const can = useCan();
  const ref = { kind: address.includes('@') ? ('email' as const) : ('phone' as const), value: address };
  const change = async (work: () => Promise<unknown>, done: string) => {
    try {
      await work();
      await refresh('compliance', 'contacts', 'topics', 'suppressions');
      tell.done(done);
    } catch (error) {
      tell.problem(error);
    }
  };
  const optOut = async () => {
    const isSure = await confirm({
      title: 'Opt out of everything?',
      body: 'Every topic is withdrawn and the address goes on the suppression list. Only the person can agree again.',
      confirmLabel: 'Opt out',
      danger: true,
    });
    if (isSure)
      await change(() => api('POST /compliance/opt-out', { body: { address: ref } }), 'The address is opted out.');
  };
  return (
    <Stack>
      <Section
        title={consent.address}
        description={
          <TextLink to="/contacts/$id" params={{ id: consent.contactId }} size="sm">
            Open the contact
          </TextLink>
        }
        actions={
          <>
            <Button
              component="a"
              variant="default"
              leftSection={<IconDownload size={16} aria-hidden />}
              href={urlOf('GET /compliance/consent/:address/proof', { params: { address } })}
              download="consent-proof.json"
            >
              Download proof
            </Button>
            {can('consent:write') && (
              <Button variant="default" onClick={() => void optOut()}>
                Opt out of everything
              </Button>
            )}
          </>
        }
      >
        {consent.consents.length === 0 ? (
          <Text size="sm">This person has not said anything about any topic. Only transactional mail may be sent.</Text>
        ) : (
          <Table.ScrollContainer minWidth={520} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
            <Table aria-label="What counts now" verticalSpacing="sm">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th scope="col">Topic</Table.Th>
                  <Table.Th scope="col">Channel</Table.Th>
                  <Table.Th scope="col">State</Table.Th>
                  <Table.Th scope="col">Basis</Table.Th>
                  <Table.Th scope="col">Since</Table.Th>
                  <Table.Th scope="col" ta="end">
                    Actions
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {consent.consents.map((one) => (
                  <Table.Tr key={`${one.channel} ${one.topic}`}>
                    <Table.Td>{one.topic}</Table.Td>
                    <Table.Td>{one.channel}</Table.Td>
                    <Table.Td>
                      <StateBadge state={one.state} />
                    </Table.Td>
                    <Table.Td>{basisText[one.basis]}</Table.Td>
                    <Table.Td>
                      <TimeText at={one.since} />
                    </Table.Td>
                    <Table.Td ta="end">
                      {one.state === 'granted' && can('consent:write') && (
                        <Button
                          size="xs"
                          variant="default"
                          aria-label={`Withdraw ${one.topic}`}
                          onClick={() =>
                            void change(
                              () =>
                                api('POST /compliance/unsubscribe', {
                                  body: { address: ref, channel: one.channel, topic: one.topic },
                                }),
                              `${one.topic} is withdrawn.`,
                            )
                          }
                        >
                          Withdraw
                        </Button>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Section>
      <History history={consent.history} />
    </Stack>
  );
}

function History({ history }: { history: Consent['history'] }) {
  if (history.length === 0) return null;
  return (
    <Section title="History" description="Every entry of the ledger about this address, newest first.">
      <HistoryTimeline history={history} />
    </Section>
  );
}
