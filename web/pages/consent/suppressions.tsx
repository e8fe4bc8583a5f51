import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconBan, IconPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Suppression } from '../../../contract/consent.ts';
import { api } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import {
  confirm,
  DataTable,
  EmptyState,
  ProblemAlert,
  tell,
  TimeText,
  useSubmit,
  type Filter,
  type UrlStateHandle,
} from '../../ui/index.ts';

const reasons: Readonly<Record<Suppression['reason'], string>> = {
  bounce: 'The address bounced',
  complaint: 'The person marked a message as spam',
  'opt-out': 'The person opted out of everything',
  manual: 'Added by your team',
  erased: 'The person was erased',
};
const kinds = { email: 'E-mail', phone: 'Phone', push: 'Push' } as const;

const filters: readonly Filter[] = [
  {
    kind: 'choice',
    key: 'reason',
    label: 'Reason',
    choices: Object.entries(reasons).map(([value, label]) => ({ value, label })),
  },
];

/** Who is never written to, whatever they agreed to. Only hashes are kept, so the list cannot show addresses. */
export function Suppressions({ url }: { url: UrlStateHandle }) {
  const can = useCan();
  const { cursor, reason } = url.values;
  const chosen = Object.keys(reasons).find((key) => key === reason) as Suppression['reason'] | undefined;
  const list = useQuery({
    ...ask('GET /suppressions', { query: { ...(cursor ? { cursor } : {}), ...(chosen ? { reason: chosen } : {}) } }),
    placeholderData: keepPreviousData,
  });
  const [isAdding, setAdding] = useState(false);
  const add = can('consent:write') && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setAdding(true)}>
      Add an address
    </Button>
  );
  return (
    <>
      {isAdding && <Add onClose={() => setAdding(false)} />}
      <DataTable
        name="Suppression list"
        url={url}
        query={list}
        filters={filters}
        rowKey={(one) => one.id}
        tools={add}
        empty={
          <EmptyState icon={IconBan} title="Nobody is on the list" action={add}>
            Addresses come here by themselves when they bounce for good, complain or opt out.
          </EmptyState>
        }
        columns={[
          { key: 'id', header: 'Hash of the address', cell: (one) => <code>{shortHash(one.id)}</code> },
          { key: 'kind', header: 'Kind', cell: (one) => kinds[one.kind] },
          { key: 'reason', header: 'Why', cell: (one) => reasons[one.reason] },
          { key: 'since', header: 'Since', cell: (one) => <TimeText at={one.createdAt} /> },
          {
            key: 'actions',
            header: 'Actions',
            align: 'end',
            cell: (one) =>
              can('consent:write') &&
              one.reason !== 'erased' && (
                <Button
                  size="xs"
                  variant="default"
                  aria-label={`Take off: ${shortHash(one.id)}`}
                  onClick={() => void takeOff(one)}
                >
                  Take off
                </Button>
              ),
          },
        ]}
      />
    </>
  );
}

const shortHash = (id: string) => (id.length > 14 ? `…${id.slice(-12)}` : id);

async function takeOff(one: Suppression): Promise<void> {
  const isSure = await confirm({
    title: 'Take this address off the list?',
    body: `Why it is there: ${reasons[one.reason].toLowerCase()}. Writing to somebody who does not want it harms your standing with mailbox providers, and may be against the law.`,
    confirmLabel: 'Take off the list',
    danger: true,
  });
  if (!isSure) return;
  try {
    await api('DELETE /suppressions/:id', { params: { id: one.id } });
    await refresh('suppressions', 'contacts');
    tell.done('The address is off the list.');
  } catch (error) {
    tell.problem(error);
  }
}

function Add({ onClose }: { onClose: () => void }) {
  const form = useForm({
    initialValues: { address: { value: '' } },
    validate: { address: { value: (value) => (value.trim() === '' ? 'Enter an address' : null) } },
  });
  const { submit, busy, problem } = useSubmit(form, async ({ address }) => {
    const value = address.value.trim();
    await api('POST /suppressions', { body: { address: { kind: value.includes('@') ? 'email' : 'phone', value } } });
    await refresh('suppressions', 'contacts');
    tell.done('The address is on the list.');
    onClose();
  });
  return (
    <Modal opened onClose={onClose} title="Never write to an address">
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert problem={problem} />
          <TextInput
            label="E-mail or phone number"
            description="It need not belong to a contact"
            data-autofocus
            autoComplete="off"
            {...form.getInputProps('address.value')}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={busy}>
              Add to the list
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
