import { Alert, Anchor, Box, Button, Card, Skeleton, Stack, Table, Tabs, Text, Title } from '@mantine/core';
import { IconArrowLeft, IconLock } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { ask } from '../../query.ts';
import { MailFrame } from '../../ui/mail-frame.tsx';
import { ProblemAlert, TextLink, TimeText } from '../../ui/index.ts';
import { Actions } from './actions.tsx';
import type { Answer } from '../../api.ts';
import { channels } from '../../ui/channels.ts';
import { Device } from '../../ui/device.tsx';
import classes from './sandbox-page.module.css';

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
          All caught messages
        </Button>
        <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
        {query.isPending && <Skeleton height={420} aria-label="The message is loading" />}
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
                {mail.channel === 'email' ? <Parts mail={mail} /> : <Shown mail={mail} />}
              </>
            )}
          </>
        )}
      </Stack>
    </Card>
  );
}

type Mail = Answer<'GET /sandbox/messages/:id'>;

function Head({ mail }: { mail: Mail }) {
  return (
    <div>
      <Title order={2} size="h4" style={{ overflowWrap: 'anywhere' }}>
        {mail.channel === 'email' ? (mail.subject ?? 'Without a subject') : channels[mail.channel].label}
      </Title>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        {mail.from !== '' && (
          <>
            <Text component="span" inherit c="dimmed">
              From
            </Text>{' '}
            {mail.from}{' '}
          </>
        )}
        <Text component="span" inherit c="dimmed">
          {mail.from === '' ? 'To' : 'to'}
        </Text>{' '}
        {mail.to}
      </Text>
      <Text size="sm" c="dimmed">
        <TimeText at={mail.receivedAt} />
        {` · ${mail.vendor}`}
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

const preStyle = {
  whiteSpace: 'pre-wrap',
  overflowWrap: 'anywhere',
  overflowY: 'auto',
  maxHeight: 640,
  margin: 0,
  fontSize: 13,
} as const;

/** What is no mail: as the device shows it, and the request as the vendor got it. */
function Shown({ mail }: { mail: Mail }) {
  return (
    <Tabs defaultValue="device" keepMounted={false}>
      <Tabs.List mb="sm">
        <Tabs.Tab value="device">On the device</Tabs.Tab>
        {mail.raw !== undefined && <Tabs.Tab value="raw">Request</Tabs.Tab>}
      </Tabs.List>
      <Tabs.Panel value="device">
        <Device channel={mail.channel} shown={mail.shown} />
      </Tabs.Panel>
      {mail.raw !== undefined && (
        <Tabs.Panel value="raw">
          <Box component="pre" style={preStyle} tabIndex={0} aria-label="Request as the vendor got it">
            {mail.raw}
          </Box>
        </Tabs.Panel>
      )}
    </Tabs>
  );
}

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
