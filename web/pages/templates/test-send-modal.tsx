import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { Template } from '../../../contract/templates.ts';
import { api, type Answer } from '../../api.ts';
import { useCan, useMe } from '../../shell/me.ts';
import { askChannelAccount } from '../../ui/channel-account.ts';
import { ContactPicker } from '../../ui/contact-picker.tsx';
import { LinkButton, ProblemAlert } from '../../ui/index.ts';
import { readerBody, type Reader } from './draft.rules.ts';

/** Whether the account leads into the sandbox. */
function isPlayed(baseUrl: unknown): boolean {
  return typeof baseUrl === 'string' && baseUrl.startsWith('http://sandbox.localhost/');
}

/** One message to the person's own address, through the same road as a real one. */
export function TestSendModal(props: {
  template: Template;
  /** What the saved version fills in. */
  needed: readonly string[];
  reader: Reader;
  isDirty: boolean;
  onClose: () => void;
}) {
  const me = useMe();
  const can = useCan();
  const { channel } = props.template;
  const account = useQuery({ ...askChannelAccount(channel), enabled: can('providers:read') });
  const [to, setTo] = useState(channel === 'email' ? (me.user?.email ?? '') : '');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [sent, setSent] = useState<Answer<'POST /templates/:id/test-send'>>();
  const isCaught = account.data?.kind === 'sandbox' || isPlayed(account.data?.settings['baseUrl']);

  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      const body = { to: to.trim(), ...readerBody(props.reader, props.needed) };
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
          {channel === 'inapp' ? (
            <ContactPicker
              label="To"
              placeholder="A contact, whose inbox it goes to"
              value={to === '' ? undefined : to}
              onChange={(contactId) => setTo(contactId ?? '')}
            />
          ) : (
            <TextInput
              data-autofocus
              label="To"
              type={channel === 'email' ? 'email' : 'text'}
              placeholder={channel === 'push' ? 'fcm:…, apns:… or webpush:…' : '+49 151 1234567'}
              required
              value={to}
              onChange={(event) => setTo(event.currentTarget.value)}
            />
          )}
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
