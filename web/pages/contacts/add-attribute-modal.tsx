import { Button, Divider, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { Attribute } from '../../../contract/attributes.ts';
import { api } from '../../api.ts';
import { refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { ProblemAlert } from '../../ui/index.ts';
import { keyFrom, type AttributeType } from './contact.rules.ts';

export const attributeTypes: readonly { value: AttributeType; label: string }[] = [
  { value: 'text', label: 'Text' },
  { value: 'number', label: 'Number' },
  { value: 'boolean', label: 'Yes or no' },
  { value: 'date', label: 'Date' },
  { value: 'list', label: 'List' },
];

/** Takes an attribute that other contacts have, or defines a new one. */
export function AddAttributeModal(props: {
  opened: boolean;
  onClose: () => void;
  choices: readonly Attribute[];
  onChosen: (definition: Attribute) => void;
}) {
  const can = useCan();
  const choose = (key: string | null) => {
    const definition = props.choices.find((choice) => choice.key === key);
    if (!definition) return;
    props.onChosen(definition);
    props.onClose();
  };
  return (
    <Modal opened={props.opened} onClose={props.onClose} title="Add an attribute" centered>
      <Stack>
        {props.choices.length > 0 ? (
          <Select
            data-autofocus
            label="One that is already in use"
            searchable
            placeholder="Choose"
            data={props.choices.map((choice) => ({ value: choice.key, label: choice.label }))}
            value={null}
            onChange={choose}
          />
        ) : (
          <Text size="sm" c="dimmed">
            This contact has all attributes that are in use.
          </Text>
        )}
        {can('attributes:write') && (
          <>
            <Divider label="or a new one" />
            <NewAttribute
              onMade={(definition) => {
                props.onChosen(definition);
                props.onClose();
              }}
            />
          </>
        )}
      </Stack>
    </Modal>
  );
}

function NewAttribute({ onMade }: { onMade: (definition: Attribute) => void }) {
  const [label, setLabel] = useState('');
  const [type, setType] = useState<AttributeType>('text');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const key = keyFrom(label);
  const make = async (event: FormEvent) => {
    event.preventDefault();
    // The dialog lives inside the profile's form: this one must not submit that one.
    event.stopPropagation();
    setBusy(true);
    setProblem(undefined);
    try {
      const definition = await api('POST /attributes', { body: { key, label: label.trim(), type } });
      await refresh('attributes');
      onMade(definition);
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void make(event)}>
      <Stack>
        <ProblemAlert problem={problem} />
        <TextInput
          label="Name"
          description={key ? `In templates: {{ contact.${key} }}` : 'For example: Favourite colour'}
          maxLength={100}
          value={label}
          onChange={(event) => setLabel(event.currentTarget.value)}
        />
        <Select
          label="What it holds"
          description="Stays as it is once made"
          allowDeselect={false}
          data={[...attributeTypes]}
          value={type}
          onChange={(next) => setType(next as AttributeType)}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={busy} disabled={key === ''}>
            Make it
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
