import { Button, Group, Modal, Stack, TextInput, Textarea } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { Topic } from '../../contract/topics.ts';
import { api } from '../api.ts';
import { refresh } from '../query.ts';
import { ProblemAlert } from './problem-alert.tsx';

/** Makes a topic where one is needed, without leaving what one is at. */
export function NewTopicModal(props: { opened: boolean; onClose: () => void; onMade: (topic: Topic) => void }) {
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const key = topicKeyFrom(name);
  const make = async (event: FormEvent) => {
    event.preventDefault();
    // The dialog may be opened from inside another form, which must not be submitted by this one.
    event.stopPropagation();
    setBusy(true);
    setProblem(undefined);
    try {
      const given = description.trim() ? { description: description.trim() } : {};
      const topic = await api('POST /topics', { body: { key, name: name.trim(), ...given } });
      await refresh('topics');
      props.onMade(topic);
      setName('');
      setDescription('');
      props.onClose();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={props.opened} onClose={props.onClose} title="New topic" centered>
      <form onSubmit={(event) => void make(event)}>
        <Stack>
          <ProblemAlert problem={problem} />
          <TextInput
            data-autofocus
            label="Name"
            description={key ? `Key for scripts: ${key}` : 'What people see when they choose what to receive'}
            placeholder="Newsletter"
            required
            maxLength={100}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Textarea
            label="What they will get"
            placeholder="News from the workshop, about once a month"
            maxLength={500}
            autosize
            minRows={2}
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy} disabled={key === ''}>
              Make the topic
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function topicKeyFrom(name: string): string {
  return name
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
}
