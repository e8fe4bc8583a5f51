import { Button, Group, Modal, Progress, Radio, Stack, Text } from '@mantine/core';
import { useRef, useState, type FormEvent } from 'react';
import { api } from '../../api.ts';
import { refresh } from '../../query.ts';
import { ProblemAlert, tell } from '../../ui/index.ts';

type Resolution = 'accepted' | 'failed' | 'resend';

/**
 * Nobody knows whether they arrived: the person decides, knowing what each choice risks. Several are decided one after
 * the other, so that stopping half-way leaves the rest as they were.
 */
export function ResolveModal(props: {
  /** The messages that are meant, looked up when the decision is made. */
  find: () => Promise<readonly string[]>;
  /** More than the one on screen. */
  isMany?: boolean;
  onClose: () => void;
}) {
  const [as, setAs] = useState<Resolution>();
  const [progress, setProgress] = useState<{ done: number; of: number }>();
  const [problem, setProblem] = useState<unknown>();
  const isStopped = useRef(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!as) return;
    setProblem(undefined);
    setProgress({ done: 0, of: 0 });
    let done = 0;
    try {
      const ids = await props.find();
      for (const id of ids) {
        if (isStopped.current) break;
        await api('POST /messages/:id/resolve', { params: { id }, body: { as } });
        done += 1;
        setProgress({ done, of: ids.length });
      }
      tell.done(done === 1 ? 'Decided.' : `Decided about ${done} messages.`);
      props.onClose();
    } catch (error) {
      setProblem(error);
    } finally {
      setProgress(undefined);
      await refresh('messages', 'campaigns');
    }
  };
  const close = () => {
    isStopped.current = true;
    props.onClose();
  };
  return (
    <Modal opened onClose={close} title={props.isMany ? 'Did they arrive?' : 'Did it arrive?'} centered>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <ProblemAlert problem={problem} />
          <Text size="sm">
            The connection or the server stopped in the middle of handing {props.isMany ? 'them' : 'it'} over. If you
            can find out, for example in the log of your provider, say what happened.
          </Text>
          <Choices isMany={props.isMany ?? false} value={as} onChange={setAs} />
          {progress && progress.of > 1 && <Progress value={(progress.done / progress.of) * 100} aria-label="Decided" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {progress ? 'Stop here' : 'Not now'}
            </Button>
            <Button type="submit" loading={progress !== undefined} disabled={as === undefined}>
              Decide
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
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
