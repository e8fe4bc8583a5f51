import { Button, Card, Group, Select, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../../api.ts';
import { refresh } from '../../query.ts';
import { countries } from '../../ui/countries.ts';
import { LinkButton, PageHeader, ProblemAlert, tell, UnsavedGuard, useSubmit } from '../../ui/index.ts';

const empty = { firstName: '', lastName: '', email: '', phone: '', externalId: '', locale: '', country: '' };

export function NewContactPage() {
  const navigate = useNavigate();
  const [key] = useState(() => crypto.randomUUID());
  const form = useForm({
    initialValues: empty,
    validate: {
      email: (value, values) =>
        value.trim() === '' && values.phone.trim() === '' && values.externalId.trim() === ''
          ? 'Give at least an e-mail, a phone number or an external id'
          : null,
    },
  });
  const { submit, busy, problem } = useSubmit(form, async (values) => {
    const contact = await api('POST /contacts', { body: bodyOf(values), idempotencyKey: key });
    await refresh('contacts');
    tell.done('The contact is added. Next: record what they agreed to.');
    await navigate({ to: '/contacts/$id', params: { id: contact.id }, ignoreBlocker: true });
  });
  return (
    <>
      <PageHeader
        title="Add a contact"
        crumbs={[{ label: 'Contacts', to: '/contacts' }]}
        description="Adding somebody is not consent: nothing is sent to them until a consent is recorded."
      />
      <UnsavedGuard when={form.isDirty() && !busy} />
      <Card withBorder maw={720} component="form" onSubmit={submit}>
        <Stack>
          <ProblemAlert problem={problem} />
          <Group grow preventGrowOverflow={false} align="flex-start">
            <TextInput label="First name" miw={220} autoComplete="off" {...form.getInputProps('firstName')} />
            <TextInput label="Last name" miw={220} autoComplete="off" {...form.getInputProps('lastName')} />
          </Group>
          <TextInput label="E-mail" type="email" autoComplete="off" {...form.getInputProps('email')} />
          <TextInput
            label="Phone"
            description="With country code, or in the way of the country below"
            autoComplete="off"
            {...form.getInputProps('phone')}
          />
          <TextInput
            label="External id"
            description="What your shop or CRM calls them; imports match by it first"
            {...form.getInputProps('externalId')}
          />
          <Group grow preventGrowOverflow={false} align="flex-start">
            <Select
              label="Country"
              searchable
              clearable
              miw={220}
              data={[...countries()]}
              {...form.getInputProps('country')}
            />
            <TextInput label="Language" placeholder="en, de-AT …" miw={220} {...form.getInputProps('locale')} />
          </Group>
          <Group justify="flex-end">
            <LinkButton to="/contacts" variant="default">
              Cancel
            </LinkButton>
            <Button type="submit" loading={busy}>
              Add the contact
            </Button>
          </Group>
        </Stack>
      </Card>
    </>
  );
}

function bodyOf(values: typeof empty) {
  const given = Object.fromEntries(
    Object.entries(values)
      .map(([key, value]) => [key, (value ?? '').trim()] as const)
      .filter(([, value]) => value !== ''),
  ) as Partial<typeof empty>;
  const attributes = {
    ...(given.firstName ? { first_name: given.firstName } : {}),
    ...(given.lastName ? { last_name: given.lastName } : {}),
  };
  return {
    addresses: [
      ...(given.email ? [{ kind: 'email' as const, value: given.email }] : []),
      ...(given.phone ? [{ kind: 'phone' as const, value: given.phone }] : []),
    ],
    ...(given.externalId ? { externalId: given.externalId } : {}),
    ...(given.locale ? { locale: given.locale } : {}),
    ...(given.country ? { country: given.country } : {}),
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
  };
}
