import { Button, Group, Modal, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import type { Topic } from '../../../../contract/topics.ts';
import { api } from '../../../api.ts';
import { refresh } from '../../../query.ts';
import { ProblemAlert, tell, useSubmit } from '../../../ui/index.ts';
import { keyFrom } from './key-from.ts';

export function EditTopic({ topic, onClose }: { topic: Topic | undefined; onClose: () => void }) {
  const form = useForm({
    initialValues: { name: topic?.name ?? '', key: topic?.key ?? '', description: topic?.description ?? '' },
    validate: {
      name: (value) => (value.trim() === '' ? 'Name the topic' : null),
      key: (value) => (value === '' ? 'Give it a key' : null),
    },
  });
  const { submit, busy, problem } = useSubmit(form, async ({ name, key, description }) => {
    const about = description.trim();
    if (topic) {
      const body = { name, description: about || null };
      await api('PATCH /topics/:id', { params: { id: topic.id }, body, ifMatch: topic.revision });
    } else {
      await api('POST /topics', { body: { key, name, ...(about ? { description: about } : {}) } });
    }
    await refresh('topics', 'dashboard');
    tell.done(`${name} is saved.`);
    onClose();
  });
  const rename = (name: string) => {
    const isSuggested = form.getValues().key === keyFrom(form.getValues().name, '-', 63);
    form.setFieldValue('name', name);
    if (!topic && isSuggested) form.setFieldValue('key', keyFrom(name, '-', 63));
  };
  return (
    <Modal opened onClose={onClose} title={topic ? `Change ${topic.name}` : 'New topic'}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert problem={problem} />
          <TextInput
            label="Name"
            description="As people read it on their preference page"
            data-autofocus
            {...form.getInputProps('name')}
            onChange={(event) => rename(event.currentTarget.value)}
          />
          <TextInput
            label="Key"
            description={
              topic ? 'The API and imports use it; it stays.' : 'For the API and imports; it cannot be changed later.'
            }
            disabled={topic !== undefined}
            {...form.getInputProps('key')}
          />
          <Textarea
            label="Description"
            description="What they get, and how often"
            autosize
            minRows={2}
            maxLength={500}
            {...form.getInputProps('description')}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={busy}>
              {topic ? 'Save topic' : 'Create topic'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
