import type { ReactNode } from 'react';
import { Code, Stack, Table, Text } from '@mantine/core';
import type { AuditEntry } from '../../../../contract/audit.ts';
import { CopyText, useFormats } from '../../../ui/index.ts';
import { agentInWords } from '../profile/agent.ts';
import { differences } from './diff.ts';

/** One entry whole: who, when, from where, and field by field what it was and what it became. */
export function Entry({ entry }: { entry: AuditEntry }) {
  const formats = useFormats();
  const changes = differences(entry.before, entry.after);
  const facts: [string, ReactNode][] = [
    ['When', formats.exact(entry.at)],
    ['Who', `${entry.actor.name} (${entry.actor.kind})`],
    ['From', [entry.ip, entry.userAgent && agentInWords(entry.userAgent)].filter(Boolean).join(', ') || 'inside'],
    ['Number in the chain', entry.seq],
  ];
  if (entry.target) facts.push([entry.target.kind, <CopyText key="id" value={entry.target.id} label="the id" />]);
  if (entry.requestId)
    facts.push(['Request', <CopyText key="request" value={entry.requestId} label="the request id" />]);
  return (
    <Stack>
      <Table withRowBorders={false} verticalSpacing={4} style={{ tableLayout: 'auto' }}>
        <Table.Tbody>
          {facts.map(([label, value]) => (
            <Table.Tr key={label}>
              <Table.Th scope="row" c="dimmed" fw={400} w={160}>
                {label}
              </Table.Th>
              <Table.Td>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {changes.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing that is stored changed by it.
        </Text>
      ) : (
        <Table.ScrollContainer minWidth={480} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
          <Table withTableBorder verticalSpacing="xs" aria-label="What changed">
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">Field</Table.Th>
                <Table.Th scope="col">Before</Table.Th>
                <Table.Th scope="col">After</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {changes.map((change) => (
                <Table.Tr key={change.path}>
                  <Table.Th scope="row" fw={500}>
                    {change.path}
                  </Table.Th>
                  <Table.Td>{change.before !== undefined && <Code block>{`− ${change.before}`}</Code>}</Table.Td>
                  <Table.Td>{change.after !== undefined && <Code block>{`+ ${change.after}`}</Code>}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  );
}
