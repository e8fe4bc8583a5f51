import {
  Alert,
  Anchor,
  Box,
  Button,
  Card,
  Group,
  Menu,
  Skeleton,
  Stack,
  Table,
  Tabs,
  Text,
  Title,
} from '@mantine/core';
import { IconArrowLeft, IconChevronDown, IconEye, IconLink, IconLock, IconMailOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, type Answer, type Given } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { MailFrame } from '../../ui/mail-frame.tsx';
import { confirm, ProblemAlert, tell, TextLink, TimeText } from '../../ui/index.ts';
import { linksOf } from './links.ts';
import classes from './sandbox-page.module.css';

type Mail = Answer<'GET /sandbox/messages/:id'>;
type Act = Given<'POST /sandbox/messages/:id/act'>['body'];

export function MailReader({ id, onBack }: { id: string; onBack: () => void }) {
  // What was caught does not change any more.
  const query = useQuery({ ...ask('GET /sandbox/messages/:id', { params: { id } }), staleTime: Infinity });
  const mail = query.data;
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Button
          className={classes['back'] ?? ''}
          variant="subtle"
          size="compact-sm"
          style={{ alignSelf: 'flex-start' }}
          leftSection={<IconArrowLeft size={16} aria-hidden />}
          onClick={onBack}
        >
          All caught mail
        </Button>
        <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
        {query.isPending && <Skeleton height={420} aria-label="The mail is loading" />}
        {mail && (
          <>
            <Head mail={mail} />
            {mail.hidden ? (
              <Alert variant="light" color="gray" icon={<IconLock size={18} aria-hidden />} title="Not yours to read">
                A mail of Parley’s own, whose link opens an account. A password reset is shown to the person it is for,
                an invitation to the person who sent it, and to nobody else.
              </Alert>
            ) : (
              <>
                <Actions mail={mail} />
                <Parts mail={mail} />
              </>
            )}
          </>
        )}
      </Stack>
    </Card>
  );
}

function Head({ mail }: { mail: Mail }) {
  return (
    <div>
      <Title order={2} size="h4" style={{ overflowWrap: 'anywhere' }}>
        {mail.subject ?? 'Without a subject'}
      </Title>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        <Text component="span" inherit c="dimmed">
          From
        </Text>{' '}
        {mail.from}{' '}
        <Text component="span" inherit c="dimmed">
          to
        </Text>{' '}
        {mail.to}
      </Text>
      <Text size="sm" c="dimmed">
        <TimeText at={mail.receivedAt} />
        {mail.messageId && (
          <>
            {' · '}
            <TextLink underline="always" to="/messages/$id" params={{ id: mail.messageId }}>
              Its entry in the ledger
            </TextLink>
          </>
        )}
      </Text>
    </div>
  );
}

/** What its reader, or their mail provider, might do. */
function Actions({ mail }: { mail: Mail }) {
  const can = useCan();
  const [busy, setBusy] = useState<string>();
  const links = useMemo(() => linksOf(mail.html ?? ''), [mail.html]);
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
  return (
    <Group gap="xs" role="group" aria-label="Do what its reader might do">
      <Button
        size="xs"
        variant="default"
        leftSection={<IconEye size={14} aria-hidden />}
        loading={busy === 'open'}
        onClick={() => void act({ action: 'open' })}
      >
        Open
      </Button>
      <Menu position="bottom-start" disabled={links.length === 0}>
        <Menu.Target>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconLink size={14} aria-hidden />}
            rightSection={<IconChevronDown size={14} aria-hidden />}
            loading={busy === 'click'}
            disabled={links.length === 0}
          >
            Click a link
          </Button>
        </Menu.Target>
        <Menu.Dropdown maw={360}>
          {links.map((link) => (
            <Menu.Item key={link.url} onClick={() => void act({ action: 'click', url: link.url })}>
              <Text size="sm" truncate>
                {link.text}
              </Text>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
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
      <Menu position="bottom-start">
        <Menu.Target>
          <Button size="xs" variant="default" rightSection={<IconChevronDown size={14} aria-hidden />}>
            As their provider
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => void act({ action: 'bounce' })}>Bounce it</Menu.Item>
          <Menu.Item onClick={() => void act({ action: 'complain' })}>Report it as spam</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Group>
  );
}

const preStyle = {
  whiteSpace: 'pre-wrap',
  overflowWrap: 'anywhere',
  overflowY: 'auto',
  maxHeight: 640,
  margin: 0,
  fontSize: 13,
} as const;

function Parts({ mail }: { mail: Mail }) {
  const first = mail.html === undefined ? 'text' : 'html';
  return (
    <Tabs defaultValue={first} keepMounted={false}>
      <Tabs.List mb="sm">
        {mail.html !== undefined && <Tabs.Tab value="html">Mail</Tabs.Tab>}
        <Tabs.Tab value="text">Plain text</Tabs.Tab>
        <Tabs.Tab value="headers">Headers</Tabs.Tab>
        {mail.raw !== undefined && <Tabs.Tab value="raw">Source</Tabs.Tab>}
      </Tabs.List>
      {mail.html !== undefined && (
        <Tabs.Panel value="html">
          <MailFrame
            html={mail.html}
            title={`Mail: ${mail.subject ?? 'without a subject'}`}
            height={640}
            links="open"
          />
        </Tabs.Panel>
      )}
      <Tabs.Panel value="text">
        <Box component="pre" style={preStyle} tabIndex={0} aria-label="Plain text">
          {mail.text === undefined ? 'It has no plain-text part.' : <LinkedText text={mail.text} />}
        </Box>
      </Tabs.Panel>
      <Tabs.Panel value="headers">
        <Headers headers={mail.headers} />
      </Tabs.Panel>
      {mail.raw !== undefined && (
        <Tabs.Panel value="raw">
          <Stack gap="xs">
            <Anchor
              size="sm"
              download={`${mail.id}.eml`}
              href={`data:message/rfc822;charset=utf-8,${encodeURIComponent(mail.raw)}`}
            >
              Download as .eml
            </Anchor>
            <Box component="pre" style={preStyle} tabIndex={0} aria-label="Source of the mail">
              {mail.raw}
            </Box>
          </Stack>
        </Tabs.Panel>
      )}
    </Tabs>
  );
}

/** A mail program makes links of what looks like one; without that, a reset mail would have to be copied by hand. */
function LinkedText({ text }: { text: string }) {
  return text.split(/(https?:\/\/[^\s<>"]+)/).map((part, at) =>
    at % 2 === 0 ? (
      part
    ) : (
      <Anchor key={at} inherit href={part} target="_blank" rel="noopener noreferrer">
        {part}
      </Anchor>
    ),
  );
}

function Headers({ headers }: { headers: Mail['headers'] }) {
  return (
    <Table verticalSpacing="xs" style={{ tableLayout: 'fixed' }}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th w="32%">Header</Table.Th>
          <Table.Th>Value</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {Object.entries(headers).map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Td style={{ overflowWrap: 'anywhere', verticalAlign: 'top' }}>{name}</Table.Td>
            <Table.Td style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
