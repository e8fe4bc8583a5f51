import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { Template } from '../../../contract/templates.ts';
import { api, type Answer } from '../../api.ts';
import { useCan, useMe } from '../../shell/me.ts';
import { askChannelAccount } from '../../ui/channel-account.ts';
import { LinkButton, ProblemAlert } from '../../ui/index.ts';
import { readerBody, valuesNeeded, type Draft, type Reader } from './draft.rules.ts';

/** One mail to the person's own address, through the same road as a real one. */
export function TestSendModal(props: {
  template: Template;
  draft: Draft;
  reader: Reader;
  isDirty: boolean;
  onClose: () => void;
}) {
  const me = useMe();
  const can = useCan();
  const account = useQuery({ ...askChannelAccount('email'), enabled: can('providers:read') });
  const [to, setTo] = useState(me.user?.email ?? '');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [sent, setSent] = useState<Answer<'POST /templates/:id/test-send'>>();
  const isCaught = account.data?.kind === 'sandbox';

  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      const body = { to: to.trim(), ...readerBody(props.reader, valuesNeeded(props.draft)) };
      const given = { params: { id: props.template.id }, body, idempotencyKey: crypto.randomUUID() };
      setSent(await api('POST /templates/:id/test-send', given));
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={props.onClose} title="Send a test" centered>
      <form onSubmit={(event) => void send(event)}>
        <Stack>
          <ProblemAlert problem={problem} />
          {props.isDirty && (
            <Alert color="yellow" variant="light">
              The test uses the saved version {props.template.version}, without your unsaved changes.
            </Alert>
          )}
          <TextInput
            data-autofocus
            label="To"
            type="email"
            required
            value={to}
            onChange={(event) => setTo(event.currentTarget.value)}
          />
          {account.data && (
            <Text size="sm" c="dimmed">
              {isCaught
                ? 'The sandbox catches it: nothing leaves this server, and you can read it in the sandbox inbox.'
                : `It really goes out, through the account “${account.data.name}”.`}
            </Text>
          )}
          {sent && (
            <Alert color="teal" variant="light" title="The test is on its way" role="status">
              <Group gap="xs" mt="xs">
                <LinkButton size="xs" variant="default" to="/messages/$id" params={{ id: sent.messageId }}>
                  Follow the message
                </LinkButton>
                {isCaught && can('sandbox:read') && (
                  <LinkButton size="xs" variant="default" to="/sandbox">
                    Open the sandbox inbox
                  </LinkButton>
                )}
              </Group>
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Close
            </Button>
            <Button type="submit" loading={busy}>
              {sent ? 'Send another' : 'Send the test'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
