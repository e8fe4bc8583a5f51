import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import type { Message } from '../../../contract/messages.ts';
import { api } from '../../api.ts';
import { refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { confirm, tell } from '../../ui/index.ts';
import { ResolveModal } from './resolve-modal.tsx';

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
      await refresh('messages', 'campaigns', 'dead-letters', 'queues');
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
      {isResolving && <ResolveModal which={{ messageIds: [message.id] }} onClose={resolving.close} />}
    </>
  );
}
