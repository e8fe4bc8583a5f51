import { Button, Group, Modal, Radio, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState, type FormEvent } from 'react';
import type { Message } from '../../../contract/messages.ts';
import { api } from '../../api.ts';
import { refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { confirm, ProblemAlert, tell } from '../../ui/index.ts';

/** What can be done with a message in its state. */
export function MessageActions({ message }: { message: Message }) {
  const can = useCan();
  const [busy, setBusy] = useState(false);
  const [isResolving, resolving] = useDisclosure();
  if (!can('messages:send')) return null;
  const act = async (work: () => Promise<unknown>, done: string) => {
    setBusy(true);
    try {
      await work();
      await refresh('messages', 'campaigns');
      tell.done(done);
    } catch (error) {
      tell.problem(error);
    } finally {
      setBusy(false);
    }
  };
  const cancel = async () => {
    const said = await confirm({
      title: 'Take this message back?',
      body: 'It has not left yet. Taken back it is not sent, and that cannot be undone.',
      confirmLabel: 'Take it back',
      danger: true,
    });
    if (said) await act(() => api('POST /messages/:id/cancel', { params: { id: message.id } }), 'Taken back.');
  };
  const retry = () =>
    act(() => api('PUT /messages/retry/:messageId', { params: { messageId: message.id } }), 'It is tried again.');
  return (
    <>
      {(message.state === 'planned' || message.state === 'held') && (
        <Button variant="default" loading={busy} onClick={() => void cancel()}>
          Take it back…
        </Button>
      )}
      {message.state === 'failed' && (
        <Button loading={busy} onClick={() => void retry()}>
          Try again
        </Button>
      )}
      {message.state === 'unknown' && <Button onClick={resolving.open}>Decide…</Button>}
      <ResolveModal message={message} opened={isResolving} onClose={resolving.close} />
    </>
  );
}

type Resolution = 'accepted' | 'failed' | 'resend';

/** Nobody knows whether it arrived: the person decides, knowing what each choice risks. */
function ResolveModal({ message, opened, onClose }: { message: Message; opened: boolean; onClose: () => void }) {
  const [as, setAs] = useState<Resolution>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!as) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await api('POST /messages/:id/resolve', { params: { id: message.id }, body: { as } });
      await refresh('messages', 'campaigns');
      tell.done('Decided.');
      onClose();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={opened} onClose={onClose} title="Did it arrive?" centered>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <ProblemAlert problem={problem} />
          <Text size="sm">
            The connection or the server stopped in the middle of handing it over. If you can find out, for example in
            the log of your provider, say what happened.
          </Text>
          <Radio.Group
            aria-label="What happened to it"
            value={as ?? ''}
            onChange={(value) => setAs(value as Resolution)}
          >
            <Stack gap="sm">
              <Radio value="accepted" label="It arrived" description="Counts as sent; nothing more happens." />
              <Radio
                value="failed"
                label="It did not arrive"
                description="Counts as failed; it can be tried again later."
              />
              <Radio
                value="resend"
                label="I cannot find out: send it again"
                description="If it did arrive, the person gets it twice."
              />
            </Stack>
          </Radio.Group>
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Not now
            </Button>
            <Button type="submit" loading={busy} disabled={as === undefined}>
              Decide
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
