import { Button, Group, Modal, Radio, Stack, Text } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { DeadLetterFilter } from '../../../contract/dead-letters.ts';
import { api } from '../../api.ts';
import { refresh } from '../../query.ts';
import { ProblemAlert, tell } from '../../ui/index.ts';

type Resolution = 'accepted' | 'failed' | 'resend';

/** Nobody knows whether they arrived: the person decides, knowing what each choice risks. */
export function ResolveModal(props: {
  which: { readonly messageIds: readonly string[] } | { readonly filter: DeadLetterFilter };
  /** More than the one on screen. */
  isMany?: boolean;
  onClose: () => void;
}) {
  const [as, setAs] = useState<Resolution>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!as) return;
    setProblem(undefined);
    setBusy(true);
    const { which } = props;
    const body = 'filter' in which ? { as, filter: which.filter } : { as, messageIds: [...which.messageIds] };
    try {
      const { done, remaining } = await api('POST /messages/resolve', { body, idempotencyKey: crypto.randomUUID() });
      tell.done(decidedText(done, remaining));
      props.onClose();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
      await refresh('messages', 'campaigns', 'dead-letters', 'queues');
    }
  };
  return (
    <Modal opened onClose={props.onClose} title={props.isMany ? 'Did they arrive?' : 'Did it arrive?'} centered>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <ProblemAlert problem={problem} />
          <Text size="sm">
            The connection or the server stopped in the middle of handing {props.isMany ? 'them' : 'it'} over. If you
            can find out, for example in the log of your provider, say what happened.
          </Text>
          <Choices isMany={props.isMany ?? false} value={as} onChange={setAs} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
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

function decidedText(done: number, remaining: number): string {
  if (remaining > 0) return `Decided about ${done} messages; ${remaining} more follow in the background.`;
  return done === 1 ? 'Decided.' : `Decided about ${done} messages.`;
}

function Choices(props: { isMany: boolean; value: Resolution | undefined; onChange: (as: Resolution) => void }) {
  const { isMany } = props;
  return (
    <Radio.Group
      aria-label="What happened"
      value={props.value ?? ''}
      onChange={(value) => props.onChange(value as Resolution)}
    >
      <Stack gap="sm">
        <Radio
          value="accepted"
          label={isMany ? 'They arrived' : 'It arrived'}
          description="Counts as sent; nothing more happens."
        />
        <Radio
          value="failed"
          label={isMany ? 'They did not arrive' : 'It did not arrive'}
          description="Counts as failed; can be tried again later."
        />
        <Radio
          value="resend"
          label={`I cannot find out: send ${isMany ? 'them' : 'it'} again`}
          description="Whoever did get it gets it twice."
        />
      </Stack>
    </Radio.Group>
  );
}
