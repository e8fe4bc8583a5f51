import { Button, Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconDownload, IconHistory } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Address, Contact } from '../../../contract/contacts.ts';
import type { Topic } from '../../../contract/topics.ts';
import { urlOf, type Answer } from '../../api.ts';
import { stateText } from '../../reasons.ts';
import { basisText } from '../../sources.ts';
import { ask } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { ProblemAlert, StateBadge, TextLink, TimeText } from '../../ui/index.ts';
import { ConsentHistory } from './consent-history.tsx';
import { RecordConsentModal, type Asked } from './record-consent-modal.tsx';

type Consent = Answer<'GET /contacts/:id/consents'>['data'][number];

/** What a person agreed to and withdrew, for each of their e-mail addresses and each topic, with the proof of it. */
export function ConsentsCard({ contact }: { contact: Contact }) {
  const can = useCan();
  const consents = useQuery(ask('GET /contacts/:id/consents', { params: { id: contact.id } }));
  const topics = useQuery({ ...ask('GET /topics', { query: { limit: 200 } }), enabled: can('topics:read') });
  const [asked, setAsked] = useState<Asked>();
  const [shown, setShown] = useState<Address>();
  const emails = contact.addresses.filter((address) => address.kind === 'email');
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="sm">
        Consent
      </Title>
      <ProblemAlert problem={consents.error ?? topics.error} onRetry={() => void consents.refetch()} />
      {consents.isPending && <Skeleton height={96} />}
      {emails.length === 0 && (
        <Text size="sm" c="dimmed">
          Consent belongs to an address. Add an e-mail address first.
        </Text>
      )}
      {topics.data?.data.length === 0 && (
        <Text size="sm" c="dimmed">
          There are no topics yet. A topic is what people can agree to receive, such as a newsletter.{' '}
          <TextLink underline="always" to="/settings/topics">
            Make one
          </TextLink>
          .
        </Text>
      )}
      {consents.data && topics.data && topics.data.data.length > 0 && (
        <Stack gap="lg">
          {emails.map((address) => (
            <AddressConsents
              key={address.id}
              address={address}
              consents={consents.data.data.filter((consent) => consent.address.id === address.id)}
              topics={topics.data.data}
              {...(can('consent:write') ? { onAsk: setAsked } : {})}
              onHistory={() => setShown(address)}
            />
          ))}
        </Stack>
      )}
      {asked && <RecordConsentModal asked={asked} onClose={() => setAsked(undefined)} />}
      {shown && <ConsentHistory address={shown} onClose={() => setShown(undefined)} />}
    </Card>
  );
}

interface Line {
  readonly key: string;
  readonly topic: { key: string; name: string };
  readonly consent: Consent | undefined;
}

/** Each topic that is open, and those that are not any more but were spoken about. */
function linesOf(topics: readonly Topic[], consents: readonly Consent[]): readonly Line[] {
  const closed = consents.filter((consent) => !topics.some((topic) => topic.id === consent.topic.id));
  return [
    ...topics.map((topic) => ({
      key: topic.id,
      topic,
      consent: consents.find((consent) => consent.topic.id === topic.id && consent.channel === 'email'),
    })),
    ...closed.map((consent) => ({ key: consent.topic.id, topic: consent.topic, consent })),
  ];
}

function AddressConsents(props: {
  address: Address;
  consents: readonly Consent[];
  topics: readonly Topic[];
  onAsk?: (asked: Asked) => void;
  onHistory: () => void;
}) {
  const { address } = props;
  return (
    <div>
      <Group justify="space-between" gap="xs" mb={4}>
        <Text fw={600} size="sm">
          {address.masked}
        </Text>
        <Group gap="xs">
          <Button
            size="compact-sm"
            variant="subtle"
            leftSection={<IconHistory size={14} aria-hidden />}
            onClick={props.onHistory}
          >
            History
          </Button>
          <Button
            size="compact-sm"
            variant="subtle"
            component="a"
            href={urlOf('GET /compliance/consent/:address/proof', { params: { address: address.id } })}
            download={`consent-proof-${address.id}.json`}
            leftSection={<IconDownload size={14} aria-hidden />}
            title="A signed file with every entry of the ledger for this address"
          >
            Proof
          </Button>
        </Group>
      </Group>
      <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
        {linesOf(props.topics, props.consents).map((line) => (
          <ConsentLine key={line.key} line={line} address={address} onAsk={props.onAsk} />
        ))}
      </ul>
    </div>
  );
}

function ConsentLine(props: { line: Line; address: Address; onAsk: ((asked: Asked) => void) | undefined }) {
  const { line, address, onAsk } = props;
  const state = line.consent?.state ?? 'none';
  const action = state === 'granted' ? 'withdraw' : 'grant';
  // The ground of a consent that was withdrawn would read as if it still held.
  const ground =
    line.consent && state === 'granted'
      ? (basisText[line.consent.basis] ?? line.consent.basis)
      : stateText(state).meaning;
  return (
    <Group
      component="li"
      justify="space-between"
      gap="xs"
      py="xs"
      style={{ borderTop: '1px solid var(--mantine-color-default-border)' }}
    >
      <div>
        <Group gap="xs">
          <Text size="sm" fw={500}>
            {line.topic.name}
          </Text>
          <StateBadge state={state} label={stateText(state).label} />
        </Group>
        <Text size="sm" c="dimmed" component="div">
          {line.consent && (
            <>
              since <TimeText at={line.consent.since} /> ·{' '}
            </>
          )}
          {ground}
        </Text>
      </div>
      {onAsk && (
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`${action === 'grant' ? 'Record consent…' : 'Withdraw…'} ${line.topic.name}`}
          onClick={() =>
            onAsk({
              address,
              topic: line.topic,
              action,
              wasWithdrawn: state === 'withdrawn',
              basis: line.consent?.basis,
            })
          }
        >
          {action === 'grant' ? 'Record consent…' : 'Withdraw…'}
        </Button>
      )}
    </Group>
  );
}
