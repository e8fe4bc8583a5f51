import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Contact } from '../../contract/contacts.ts';
import { ask } from '../query.ts';
import { useCan } from '../shell/me.ts';

const nameOf = (contact: Contact): string => {
  const { first_name: first, last_name: last } = contact.attributes;
  const name = [first, last].filter((part) => typeof part === 'string' && part !== '').join(' ');
  const address = contact.addresses[0]?.masked ?? contact.externalId ?? contact.id.slice(-8);
  return name ? `${name} (${address})` : address;
};

/** Finds one contact: the newest are offered; typing looks for a whole address or external id (parts are sealed). */
export function ContactPicker(props: {
  label: string;
  placeholder: string;
  value: string | undefined;
  onChange: (contactId: string | undefined) => void;
  w?: number | string;
}) {
  const can = useCan();
  const [typed, setTyped] = useState('');
  const [settled] = useDebouncedValue(typed.trim(), 300);
  const chosen = useQuery({
    ...ask('GET /contacts/:id', { params: { id: props.value ?? '' } }),
    enabled: props.value !== undefined && can('contacts:read'),
  });
  const chosenName = chosen.data && nameOf(chosen.data);
  const found = useQuery({
    ...ask('GET /contacts', { query: { limit: 10, ...(settled && settled !== chosenName ? { q: settled } : {}) } }),
    placeholderData: keepPreviousData,
    enabled: can('contacts:read'),
  });
  if (!can('contacts:read')) return null;
  const offered = found.data?.data ?? [];
  const all =
    chosen.data && !offered.some((contact) => contact.id === chosen.data.id) ? [chosen.data, ...offered] : offered;
  return (
    <Select
      label={props.label}
      placeholder={props.placeholder}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': `Clear ${props.label}` }}
      w={props.w ?? 280}
      // What is found is found by the server: the masked text must not be matched against what is typed.
      filter={({ options }) => options}
      nothingFoundMessage={settled ? 'Nobody with exactly this address or external id' : 'No contacts yet'}
      data={all.map((contact) => ({ value: contact.id, label: nameOf(contact) }))}
      value={props.value ?? null}
      onSearchChange={setTyped}
      onChange={(id) => props.onChange(id ?? undefined)}
    />
  );
}
