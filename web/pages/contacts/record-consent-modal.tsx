import { Alert, Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import type { Address } from '../../../contract/contacts.ts';
import { api } from '../../api.ts';
import { basisText } from '../../sources.ts';
import { refresh } from '../../query.ts';
import { ProblemAlert, tell, useSubmit } from '../../ui/index.ts';

export interface Asked {
  readonly address: Address;
  readonly topic: { readonly key: string; readonly name: string };
  readonly action: 'grant' | 'withdraw';
  readonly wasWithdrawn: boolean;
  readonly basis: string | undefined;
}

type Basis = 'consent' | 'contract' | 'legitimate-interest';
const isBasis = (value: string | undefined): value is Basis => value !== undefined && Object.hasOwn(basisText, value);

/** Records what a person said, with where they said it: without that it proves nothing. */
export function RecordConsentModal({ asked, onClose }: { asked: Asked; onClose: () => void }) {
  const [key] = useState(() => crypto.randomUUID());
  const isGrant = asked.action === 'grant';
  const form = useForm({
    initialValues: {
      basis: isBasis(asked.basis) ? asked.basis : 'consent',
      evidence: { source: '', textVersion: '', at: '' },
    },
    validate: { evidence: { source: (value) => (value.trim() === '' ? 'Say where they said so' : null) } },
  });
  const { submit, busy, problem } = useSubmit(form, async ({ basis, evidence }) => {
    await api('POST /compliance/consent', {
      idempotencyKey: key,
      body: {
        address: { id: asked.address.id },
        channel: 'email',
        topic: asked.topic.key,
        action: asked.action,
        basis,
        evidence: {
          source: evidence.source.trim(),
          ...(evidence.textVersion.trim() ? { textVersion: evidence.textVersion.trim() } : {}),
          ...(evidence.at ? { at: new Date(evidence.at).toISOString() } : {}),
        },
      },
    });
    await refresh('contacts', 'compliance', 'topics');
    tell.done(isGrant ? `Consent to ${asked.topic.name} is recorded.` : `Consent to ${asked.topic.name} is withdrawn.`);
    onClose();
  });
  return (
    <Modal
      opened
      onClose={onClose}
      centered
      title={`${isGrant ? 'Record consent to' : 'Withdraw consent to'} ${asked.topic.name}`}
    >
      <form onSubmit={submit}>
        <Stack>
          <ProblemAlert problem={problem} />
          <Text size="sm">
            {isGrant
              ? `From now on, campaigns about ${asked.topic.name} may be sent to ${asked.address.masked}.`
              : `From now on, nothing about ${asked.topic.name} is sent to ${asked.address.masked}, not even what is already planned.`}
          </Text>
          {isGrant && asked.wasWithdrawn && (
            <Alert color="yellow" variant="light">
              This person unsubscribed. Only record a consent that they gave themselves after that.
            </Alert>
          )}
          {isGrant && (
            <Select
              label="On what ground"
              allowDeselect={false}
              data={Object.entries(basisText).map(([value, label]) => ({ value, label }))}
              {...form.getInputProps('basis')}
            />
          )}
          <TextInput
            data-autofocus
            label={isGrant ? 'Where they agreed' : 'Where they said so'}
            placeholder={isGrant ? 'Sign-up form in the shop, trade fair Vienna' : 'By telephone, by letter'}
            required
            maxLength={200}
            {...form.getInputProps('evidence.source')}
          />
          {isGrant && (
            <TextInput
              label="Version of the text they saw"
              placeholder="2026-03"
              maxLength={100}
              {...form.getInputProps('evidence.textVersion')}
            />
          )}
          <TextInput
            label="When"
            description="Now, when left empty"
            type="datetime-local"
            {...form.getInputProps('evidence.at')}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              {isGrant ? 'Record consent' : 'Withdraw consent'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
