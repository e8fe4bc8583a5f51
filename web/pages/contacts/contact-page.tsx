import { Button, Grid, Skeleton, Stack } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import type { Contact } from '../../../contract/contacts.ts';
import { api } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { confirm, PageHeader, ProblemAlert, tell } from '../../ui/index.ts';
import { AddressesCard } from './addresses-card.tsx';
import { ConsentsCard } from './consents-card.tsx';
import { contactName } from './contact.rules.ts';
import { ContactTimeline } from './contact-timeline.tsx';
import { ProfileCard } from './profile-card.tsx';

export function ContactPage() {
  const { id } = useParams({ from: '/app/contacts/$id' });
  const query = useQuery(ask('GET /contacts/:id', { params: { id } }));
  const can = useCan();
  const contact = query.data;
  if (!contact) {
    return (
      <>
        <PageHeader title="Contact" crumbs={[{ label: 'Contacts', to: '/contacts' }]} />
        <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
        {query.isPending && <Skeleton height={320} aria-label="The contact is loading" />}
      </>
    );
  }
  return (
    <>
      <PageHeader
        title={contactName(contact)}
        crumbs={[{ label: 'Contacts', to: '/contacts' }]}
        description={contact.externalId ? `External id ${contact.externalId}` : undefined}
        actions={can('contacts:erase') && <EraseButton contact={contact} />}
      />
      <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, lg: 7 }}>
          <Stack gap="lg">
            <AddressesCard contact={contact} />
            {can('consent:read') && <ConsentsCard contact={contact} />}
            <ContactTimeline contactId={contact.id} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 5 }}>
          <ProfileCard key={contact.revision} contact={contact} />
        </Grid.Col>
      </Grid>
    </>
  );
}

function EraseButton({ contact }: { contact: Contact }) {
  const navigate = useNavigate();
  const name = contactName(contact);
  const erase = async () => {
    const said = await confirm({
      title: 'Erase this contact for good?',
      body: (
        <>
          Their addresses and attributes are destroyed and cannot be brought back, not even from a backup. A keyed
          fingerprint stays on the suppression list, so that a later import does not write to them again. What was sent
          stays counted, without their name.
        </>
      ),
      confirmLabel: 'Erase for good',
      danger: true,
      typeToConfirm: name,
    });
    if (!said) return;
    try {
      await api('DELETE /contacts/:id', { params: { id: contact.id } });
      await navigate({ to: '/contacts', ignoreBlocker: true });
      await refresh('contacts', 'suppressions');
      tell.done(`${name} was erased.`);
    } catch (error) {
      tell.problem(error);
    }
  };
  return (
    <Button variant="default" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void erase()}>
      Erase…
    </Button>
  );
}
