import { Button } from '@mantine/core';
import { IconAddressBook, IconDownload, IconFileImport, IconPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Contact } from '../../../contract/contacts.ts';
import { urlOf, type Given } from '../../api.ts';
import { ask } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { countries, countryName } from '../../ui/countries.ts';
import {
  DataTable,
  EmptyState,
  LinkButton,
  PageHeader,
  StateBadge,
  TextLink,
  TimeText,
  useUrlState,
  type Column,
  type Filter,
} from '../../ui/index.ts';
import { stateText } from '../../reasons.ts';
import { contactName, firstAddress } from './contact.rules.ts';

type ListQuery = NonNullable<Given<'GET /contacts'>['query']>;

const columns: readonly Column<Contact>[] = [
  {
    key: 'name',
    header: 'Contact',
    cell: (row) => (
      <TextLink to="/contacts/$id" params={{ id: row.id }}>
        {contactName(row)}
      </TextLink>
    ),
  },
  { key: 'email', header: 'E-mail', cell: (row) => <AddressCell contact={row} kind="email" /> },
  { key: 'phone', header: 'Phone', cell: (row) => <AddressCell contact={row} kind="phone" />, optional: true },
  { key: 'externalId', header: 'External id', cell: (row) => row.externalId ?? '—', optional: true },
  { key: 'country', header: 'Country', cell: (row) => (row.country ? countryName(row.country) : '—') },
  { key: 'locale', header: 'Language', cell: (row) => row.locale ?? '—' },
  { key: 'updatedAt', header: 'Changed', cell: (row) => <TimeText at={row.updatedAt} relative />, optional: true },
  { key: 'createdAt', header: 'Added', cell: (row) => <TimeText at={row.createdAt} />, sort: 'createdAt' },
];

function AddressCell({ contact, kind }: { contact: Contact; kind: 'email' | 'phone' }) {
  const address = contact.addresses.find((candidate) => candidate.kind === kind);
  if (!address) return '—';
  return (
    <>
      {firstAddress(contact, kind)}
      {address.state !== 'ok' && (
        <>
          {' '}
          <StateBadge state={address.state} label={stateText(address.state).label} />
        </>
      )}
    </>
  );
}

export function ContactsPage() {
  const url = useUrlState();
  const can = useCan();
  const topics = useQuery({ ...ask('GET /topics', { query: { limit: 200 } }), enabled: can('topics:read') });
  const filters = useFilters(topics.data?.data ?? [], url.values['topic'] !== undefined);
  const filterQuery = useMemo(() => filterQueryOf(url.values), [url.values]);
  const query = useQuery({
    ...ask('GET /contacts', {
      query: {
        ...filterQuery,
        ...(url.values['cursor'] ? { cursor: url.values['cursor'] } : {}),
        ...(url.values['sort'] ? { sort: url.values['sort'] as 'createdAt' } : {}),
      },
    }),
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <PageHeader
        title="Contacts"
        description="The people you may reach. Addresses are masked; seeing one in full is written to the audit log."
        actions={<Actions />}
      />
      <DataTable
        name="Contacts"
        columns={columns}
        query={query}
        rowKey={(row) => row.id}
        url={url}
        filters={filters}
        defaultSort="-createdAt"
        tools={
          can('contacts:export') && (
            <Button
              component="a"
              variant="default"
              href={urlOf('GET /contacts/export', { query: filterQuery })}
              download
              leftSection={<IconDownload size={16} aria-hidden />}
              title="What matches the filters, with whole addresses; written to the audit log"
            >
              Export CSV
            </Button>
          )
        }
        empty={
          <EmptyState icon={IconAddressBook} title="No contacts yet" action={<Actions />}>
            Import a file with the people who agreed to hear from you, or add one by hand to try things out.
          </EmptyState>
        }
      />
    </>
  );
}

function Actions() {
  const can = useCan();
  return (
    <>
      {can('contacts:import') && (
        <LinkButton to="/imports/new" leftSection={<IconFileImport size={16} aria-hidden />}>
          Import a file
        </LinkButton>
      )}
      {can('contacts:write') && (
        <LinkButton to="/contacts/new" variant="default" leftSection={<IconPlus size={16} aria-hidden />}>
          Add a contact
        </LinkButton>
      )}
    </>
  );
}

function useFilters(topics: readonly { key: string; name: string }[], isTopicChosen: boolean): readonly Filter[] {
  return useMemo(
    () => [
      { kind: 'text', key: 'q', label: 'Find', placeholder: 'Whole e-mail, phone or external id' },
      ...(topics.length > 0
        ? [
            {
              kind: 'choice' as const,
              key: 'topic',
              label: 'Topic',
              choices: topics.map((topic) => ({ value: topic.key, label: topic.name })),
            },
          ]
        : []),
      ...(isTopicChosen
        ? [
            {
              kind: 'choice' as const,
              key: 'consent',
              label: 'Said to it',
              choices: [
                { value: 'granted', label: 'Subscribed' },
                { value: 'withdrawn', label: 'Unsubscribed' },
                { value: 'expired', label: 'Expired' },
                { value: 'none', label: 'Nothing yet' },
              ],
            },
          ]
        : []),
      { kind: 'choice', key: 'country', label: 'Country', choices: countries() },
      { kind: 'text', key: 'locale', label: 'Language', placeholder: 'en, de-AT …' },
      {
        kind: 'choice',
        key: 'addressState',
        label: 'Address',
        choices: ['ok', 'bounced', 'complained', 'invalid'].map((value) => ({ value, label: stateText(value).label })),
      },
    ],
    [topics, isTopicChosen],
  );
}

/** From the address to what the API takes; consent means nothing without its topic. */
function filterQueryOf(values: Readonly<Record<string, string | undefined>>): ListQuery {
  const { q, topic, consent, country, locale, addressState } = values;
  return {
    ...(q ? { q } : {}),
    ...(topic ? { topic } : {}),
    ...(topic && consent ? { consent: consent as NonNullable<ListQuery['consent']> } : {}),
    ...(country ? { country } : {}),
    ...(locale ? { locale } : {}),
    ...(addressState ? { addressState: addressState as NonNullable<ListQuery['addressState']> } : {}),
  };
}
