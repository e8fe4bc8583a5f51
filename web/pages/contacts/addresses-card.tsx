import { ActionIcon, Button, Card, Group, Menu, Modal, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconDotsVertical, IconEye, IconPlus } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import type { Address, Contact } from '../../../contract/contacts.ts';
import { api } from '../../api.ts';
import { stateText } from '../../reasons.ts';
import { refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { confirm, ProblemAlert, StateBadge, tell } from '../../ui/index.ts';

const kindNames = { email: 'E-mail', phone: 'Phone', push: 'Push token' } as const;
type Change = ({ id: string } | { kind: Address['kind']; value: string })[];

/** The addresses in the order they are tried, masked until somebody says why they need to see them. */
export function AddressesCard({ contact }: { contact: Contact }) {
  const can = useCan();
  const [revealed, setRevealed] = useState<ReadonlyMap<string, string>>(new Map());
  const [isRevealing, revealing] = useDisclosure();
  const [isAdding, adding] = useDisclosure();
  const change = async (addresses: Change) => {
    await api('PATCH /contacts/:id', { params: { id: contact.id }, body: { addresses }, ifMatch: contact.revision });
    await refresh('contacts');
  };
  return (
    <Card withBorder>
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          Addresses
        </Title>
        <Group gap="xs">
          {can('contacts:reveal') && contact.addresses.length > 0 && revealed.size === 0 && (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconEye size={14} aria-hidden />}
              onClick={revealing.open}
            >
              Show in full
            </Button>
          )}
          {can('contacts:write') && (
            <Button size="xs" variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={adding.open}>
              Add
            </Button>
          )}
        </Group>
      </Group>
      {contact.addresses.length === 0 && (
        <Text c="dimmed" size="sm">
          No address yet: this contact cannot be reached. Add an e-mail address.
        </Text>
      )}
      <Stack gap="xs" component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
        {contact.addresses.map((address, at) => (
          <AddressRow
            key={address.id}
            address={address}
            value={revealed.get(address.id)}
            isFirst={contact.addresses.findIndex((other) => other.kind === address.kind) === at}
            {...(can('contacts:write') ? { contact, onChange: change } : {})}
          />
        ))}
      </Stack>
      <RevealModal contact={contact} opened={isRevealing} onClose={revealing.close} onRevealed={setRevealed} />
      <AddModal contact={contact} opened={isAdding} onClose={adding.close} onAdd={change} />
    </Card>
  );
}

function AddressRow(props: {
  address: Address;
  value: string | undefined;
  isFirst: boolean;
  contact?: Contact;
  onChange?: (addresses: Change) => Promise<void>;
}) {
  const { address, contact, onChange } = props;
  const state = stateText(address.state);
  return (
    <Group component="li" justify="space-between" wrap="nowrap" gap="sm">
      <Stack gap={0} style={{ minWidth: 0 }}>
        <Text style={{ overflowWrap: 'anywhere' }}>{props.value ?? address.masked}</Text>
        <Text size="sm" c="dimmed">
          {kindNames[address.kind]}
          {props.isFirst ? ', tried first' : ''}
        </Text>
      </Stack>
      <Group gap="xs" wrap="nowrap">
        <span title={state.meaning}>
          <StateBadge state={address.state} label={state.label} />
        </span>
        {contact && onChange && <AddressMenu address={address} contact={contact} onChange={onChange} />}
      </Group>
    </Group>
  );
}

function AddressMenu(props: { address: Address; contact: Contact; onChange: (addresses: Change) => Promise<void> }) {
  const { address, contact, onChange } = props;
  const others = contact.addresses.filter((other) => other.id !== address.id).map(({ id }) => ({ id }));
  const apply = (addresses: Change) => onChange(addresses).catch((error: unknown) => tell.problem(error));
  const remove = async () => {
    const said = await confirm({
      title: `Remove ${address.masked}?`,
      body: 'The address is destroyed. What was consented to for it stays in the consent ledger.',
      confirmLabel: 'Remove the address',
      danger: true,
    });
    if (said) await apply(others);
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`More for ${address.masked}`}>
          <IconDotsVertical size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          disabled={contact.addresses[0]?.id === address.id}
          onClick={() => void apply([{ id: address.id }, ...others])}
        >
          Try this one first
        </Menu.Item>
        <Menu.Item color="red" onClick={() => void remove()}>
          Remove…
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function RevealModal(props: {
  contact: Contact;
  opened: boolean;
  onClose: () => void;
  onRevealed: (values: ReadonlyMap<string, string>) => void;
}) {
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      const given = { params: { id: props.contact.id }, body: { reason: reason.trim() } };
      const { addresses } = await api('POST /contacts/:id/reveal', given);
      props.onRevealed(new Map(addresses.map((address) => [address.id, address.value])));
      props.onClose();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={props.opened} onClose={props.onClose} title="Show the addresses in full" centered>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <ProblemAlert problem={problem} />
          <TextInput
            data-autofocus
            label="Why do you need to see them?"
            description="Your name, the time and this reason are written to the audit log."
            placeholder="They called about their order"
            required
            maxLength={300}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy} disabled={reason.trim() === ''}>
              Show them
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function AddModal(props: {
  contact: Contact;
  opened: boolean;
  onClose: () => void;
  onAdd: (addresses: Change) => Promise<void>;
}) {
  const [kind, setKind] = useState<Address['kind']>('email');
  const [value, setValue] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await props.onAdd([...props.contact.addresses.map(({ id }) => ({ id })), { kind, value: value.trim() }]);
      setValue('');
      props.onClose();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={props.opened} onClose={props.onClose} title="Add an address" centered>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <ProblemAlert problem={problem} />
          <Select
            label="Kind"
            allowDeselect={false}
            data={Object.entries(kindNames).map(([key, label]) => ({ value: key, label }))}
            value={kind}
            onChange={(next) => setKind(next as Address['kind'])}
          />
          <TextInput
            data-autofocus
            label={kindNames[kind]}
            description={kind === 'phone' ? 'With the country code: +43 660 …' : undefined}
            required
            value={value}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy} disabled={value.trim() === ''}>
              Add the address
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
