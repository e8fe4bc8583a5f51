import { Button, Card, Group, NumberInput, Select, Stack, TagsInput, Text, TextInput, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState, type FormEvent } from 'react';
import type { Attribute } from '../../../contract/attributes.ts';
import type { Contact } from '../../../contract/contacts.ts';
import { api } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { countries } from '../../ui/countries.ts';
import { ProblemAlert, tell, UnsavedGuard } from '../../ui/index.ts';
import { AddAttributeModal } from './add-attribute-modal.tsx';
import { attributeText, changedAttributes, type AttributeValue } from './contact.rules.ts';

interface Profile {
  readonly externalId: string;
  readonly locale: string;
  readonly timeZone: string;
  readonly country: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

const profileOf = (contact: Contact): Profile => ({
  externalId: contact.externalId ?? '',
  locale: contact.locale ?? '',
  timeZone: contact.timeZone ?? '',
  country: contact.country ?? '',
  attributes: contact.attributes,
});

function changesOf(before: Profile, after: Profile) {
  const attributes = changedAttributes(before.attributes, after.attributes);
  const texts: {
    externalId?: string | null;
    locale?: string | null;
    timeZone?: string | null;
    country?: string | null;
  } = {};
  for (const key of ['externalId', 'locale', 'timeZone', 'country'] as const) {
    const to = after[key].trim();
    if (to !== before[key]) texts[key] = to === '' ? null : to;
  }
  return { ...texts, ...(Object.keys(attributes).length > 0 ? { attributes } : {}) };
}

/** What is known of a person, each attribute in an input of its type. */
export function ProfileCard({ contact }: { contact: Contact }) {
  const can = useCan();
  const isEditable = can('contacts:write');
  const definitions = useQuery(ask('GET /attributes'));
  const before = useMemo(() => profileOf(contact), [contact]);
  const [profile, setProfile] = useState(before);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [isAdding, adding] = useDisclosure();
  const changes = changesOf(before, profile);
  const isDirty = Object.keys(changes).length > 0;
  const setAttribute = (key: string, value: AttributeValue) =>
    setProfile((now) => ({ ...now, attributes: { ...now.attributes, [key]: value } }));

  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await api('PATCH /contacts/:id', { params: { id: contact.id }, body: changes, ifMatch: contact.revision });
      await refresh('contacts', 'attributes');
      tell.done('Saved.');
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const known = definitions.data?.data ?? [];
  const shown = known.filter((definition) => Object.hasOwn(profile.attributes, definition.key));
  return (
    <Card withBorder component="form" onSubmit={(event) => void save(event)}>
      <UnsavedGuard when={isDirty && !busy} />
      <Title order={2} size="h4" mb="sm">
        Profile
      </Title>
      <Stack gap="sm">
        <ProblemAlert problem={problem} />
        <ProfileFields profile={profile} isEditable={isEditable} onChange={setProfile} />
        {definitions.error && <ProblemAlert problem={definitions.error} onRetry={() => void definitions.refetch()} />}
        {shown.map((definition) => (
          <AttributeInput
            key={definition.key}
            definition={definition}
            value={profile.attributes[definition.key] ?? null}
            isEditable={isEditable}
            onChange={(value) => setAttribute(definition.key, value)}
          />
        ))}
        {shown.length === 0 && definitions.data && (
          <Text size="sm" c="dimmed">
            No attributes yet. They are what templates personalise with, such as a first name or a city.
          </Text>
        )}
        {isEditable && (
          <Group justify="space-between">
            <Button variant="subtle" leftSection={<IconPlus size={16} aria-hidden />} onClick={adding.open}>
              Add an attribute
            </Button>
            <Group gap="xs">
              {isDirty && (
                <Button variant="default" onClick={() => setProfile(before)}>
                  Undo
                </Button>
              )}
              <Button type="submit" loading={busy} disabled={!isDirty}>
                Save
              </Button>
            </Group>
          </Group>
        )}
      </Stack>
      <AddAttributeModal
        opened={isAdding}
        onClose={adding.close}
        choices={known.filter((definition) => !Object.hasOwn(profile.attributes, definition.key))}
        onChosen={(definition) => setAttribute(definition.key, emptyOf(definition))}
      />
    </Card>
  );
}

const emptyOf = (definition: Attribute): AttributeValue => (definition.type === 'list' ? [] : '');

function ProfileFields(props: { profile: Profile; isEditable: boolean; onChange: (profile: Profile) => void }) {
  const { profile, isEditable } = props;
  const zones = useMemo(() => Intl.supportedValuesOf('timeZone'), []);
  const set = (patch: Partial<Profile>) => props.onChange({ ...profile, ...patch });
  return (
    <>
      <TextInput
        label="External id"
        readOnly={!isEditable}
        value={profile.externalId}
        onChange={(event) => set({ externalId: event.currentTarget.value })}
      />
      <Select
        label="Country"
        searchable
        clearable
        clearButtonProps={{ 'aria-label': 'Clear the country' }}
        readOnly={!isEditable}
        data={[...countries()]}
        value={profile.country || null}
        onChange={(country) => set({ country: country ?? '' })}
      />
      <TextInput
        label="Language"
        placeholder="en, de-AT …"
        readOnly={!isEditable}
        value={profile.locale}
        onChange={(event) => set({ locale: event.currentTarget.value })}
      />
      <Select
        label="Time zone"
        searchable
        clearable
        clearButtonProps={{ 'aria-label': 'Clear the time zone' }}
        limit={50}
        readOnly={!isEditable}
        data={profile.timeZone && !zones.includes(profile.timeZone) ? [profile.timeZone, ...zones] : zones}
        value={profile.timeZone || null}
        onChange={(timeZone) => set({ timeZone: timeZone ?? '' })}
      />
    </>
  );
}

function AttributeInput(props: {
  definition: Attribute;
  value: AttributeValue;
  isEditable: boolean;
  onChange: (value: AttributeValue) => void;
}) {
  const { definition, value, onChange } = props;
  const common = { label: definition.label, readOnly: !props.isEditable };
  switch (definition.type) {
    case 'number':
      return (
        <NumberInput
          {...common}
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => onChange(typeof next === 'number' ? next : null)}
        />
      );
    case 'boolean':
      return (
        <Select
          {...common}
          clearable
          clearButtonProps={{ 'aria-label': `Clear ${definition.label}` }}
          placeholder="Not known"
          data={[
            { value: 'true', label: 'Yes' },
            { value: 'false', label: 'No' },
          ]}
          value={typeof value === 'boolean' ? String(value) : null}
          onChange={(next) => onChange(next === null ? null : next === 'true')}
        />
      );
    case 'list':
      return (
        <TagsInput
          {...common}
          placeholder="Type and press Enter"
          value={Array.isArray(value) ? value : []}
          onChange={onChange}
        />
      );
    case 'date':
    case 'text':
      return (
        <TextInput
          {...common}
          type={definition.type === 'date' ? 'date' : 'text'}
          value={attributeText(value)}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
  }
}
