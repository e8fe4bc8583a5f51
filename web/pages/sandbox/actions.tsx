import { Button, Group, Menu, Popover, Text, TextInput } from '@mantine/core';
import { IconArrowBackUp, IconChecks, IconChevronDown, IconEye, IconLink, IconMailOff } from '@tabler/icons-react';
import { useMemo, useState, type FormEvent } from 'react';
import { api, type Given } from '../../api.ts';
import { refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { confirm, tell } from '../../ui/index.ts';
import type { Answer } from '../../api.ts';
import { linksOf, type MailLink } from './links.ts';

type Act = Given<'POST /sandbox/messages/:id/act'>['body'];

/** What its reader, or their mail provider, might do. */
type Mail = Answer<'GET /sandbox/messages/:id'>;

export function Actions({ mail }: { mail: Mail }) {
  const can = useCan();
  const [busy, setBusy] = useState<string>();
  const links = useMemo(
    () => (mail.html === undefined ? mail.links.map((url) => ({ url, text: url })) : linksOf(mail.html)),
    [mail.html, mail.links],
  );
  const has = (name: Act['action']) => mail.acts.includes(name);
  if (!can('sandbox:write')) return null;
  const act = async (body: Act) => {
    setBusy(body.action);
    try {
      const { detail } = await api('POST /sandbox/messages/:id/act', { params: { id: mail.id }, body });
      await refresh('messages', 'campaigns', 'contacts');
      tell.done(detail);
    } catch (error) {
      tell.problem(error);
    } finally {
      setBusy(undefined);
    }
  };
  const unsubscribe = async () => {
    const said = await confirm({
      title: 'Unsubscribe as the reader?',
      body: `${mail.to} is really unsubscribed from the topic of this mail, as if they had pressed the button in their mail program.`,
      confirmLabel: 'Unsubscribe',
    });
    if (said) await act({ action: 'unsubscribe' });
  };
  if (mail.acts.length === 0) return null;
  const reply = async (text: string) => act({ action: 'reply', text });
  return (
    <Group gap="xs" role="group" aria-label="Do what its reader might do">
      {has('open') && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconEye size={14} aria-hidden />}
          loading={busy === 'open'}
          onClick={() => void act({ action: 'open' })}
        >
          Open
        </Button>
      )}
      {has('read') && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconChecks size={14} aria-hidden />}
          loading={busy === 'read'}
          onClick={() => void act({ action: 'read' })}
        >
          Read it
        </Button>
      )}
      {has('click') && (
        <ClickMenu links={links} busy={busy === 'click'} onClick={(url) => void act({ action: 'click', url })} />
      )}
      {has('unsubscribe') && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconMailOff size={14} aria-hidden />}
          loading={busy === 'unsubscribe'}
          disabled={mail.headers['list-unsubscribe'] === undefined}
          onClick={() => void unsubscribe()}
        >
          Unsubscribe
        </Button>
      )}
      {has('reply') && <Reply busy={busy === 'reply'} onReply={reply} />}
      {(has('bounce') || has('complain')) && (
        <Menu position="bottom-start">
          <Menu.Target>
            <Button size="xs" variant="default" rightSection={<IconChevronDown size={14} aria-hidden />}>
              As their provider
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {has('bounce') && (
              <Menu.Item onClick={() => void act({ action: 'bounce' })}>Report it undelivered</Menu.Item>
            )}
            {has('complain') && (
              <Menu.Item onClick={() => void act({ action: 'complain' })}>Report it as spam</Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
    </Group>
  );
}

function ClickMenu({
  links,
  busy,
  onClick,
}: {
  links: readonly MailLink[];
  busy: boolean;
  onClick: (url: string) => void;
}) {
  return (
    <Menu position="bottom-start" disabled={links.length === 0}>
      <Menu.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconLink size={14} aria-hidden />}
          rightSection={<IconChevronDown size={14} aria-hidden />}
          loading={busy}
          disabled={links.length === 0}
        >
          Click a link
        </Button>
      </Menu.Target>
      <Menu.Dropdown maw={360}>
        {links.map((link) => (
          <Menu.Item key={link.url} onClick={() => onClick(link.url)}>
            <Text size="sm" truncate>
              {link.text}
            </Text>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Reply({ busy, onReply }: { busy: boolean; onReply: (text: string) => Promise<void> }) {
  const [text, setText] = useState('');
  const [isOpen, setOpen] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === '') return;
    await onReply(text.trim());
    setText('');
    setOpen(false);
  };
  return (
    <Popover opened={isOpen} onChange={setOpen} position="bottom-start" trapFocus withinPortal>
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconArrowBackUp size={14} aria-hidden />}
          onClick={() => setOpen(!isOpen)}
          aria-expanded={isOpen}
        >
          Reply
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form onSubmit={(event) => void send(event)}>
          <Group gap="xs" align="flex-end">
            <TextInput
              label="What they write back"
              placeholder="STOP"
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
            <Button type="submit" loading={busy} disabled={text.trim() === ''}>
              Send
            </Button>
          </Group>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
