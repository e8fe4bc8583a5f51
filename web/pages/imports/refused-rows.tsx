import { Box, Skeleton, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ContactImport } from '../../../contract/imports.ts';
import { ask } from '../../query.ts';
import { NumberText, ProblemAlert } from '../../ui/index.ts';

const shown = 50;

/** The first refused rows of an import that has ended: mostly one mistake made often, which these make plain. */
export function RefusedRows({ data }: { data: ContactImport }) {
  const query = useQuery({
    ...ask('GET /imports/:id/refused', { params: { id: data.id }, query: { limit: shown } }),
    // It has ended: nothing about them changes any more.
    staleTime: Infinity,
  });
  if (query.isPending) return <Skeleton height={120} aria-label="The refused rows are loading" />;
  if (!query.data) return <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />;
  const rows = query.data.data;
  return (
    <Stack gap="xs">
      <Box tabIndex={0} role="region" aria-label="Refused rows" mah={420} style={{ overflowY: 'auto' }}>
        <Table verticalSpacing="xs" stickyHeader aria-label="Refused rows">
          <Table.Thead>
            <Table.Tr>
              <Table.Th w={70} ta="end">
                Line
              </Table.Th>
              <Table.Th w={180} visibleFrom="sm">
                Field
              </Table.Th>
              <Table.Th>Reason</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <Table.Tr key={row.line}>
                <Table.Td ta="end">
                  <NumberText value={row.line} />
                </Table.Td>
                {/* On a small screen the reasons do, which name it too. */}
                <Table.Td visibleFrom="sm" style={{ overflowWrap: 'anywhere' }}>
                  {row.field}
                </Table.Td>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>{row.reason}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Box>
      {data.rejected > rows.length && (
        <Text size="sm" c="dimmed">
          These are the first <NumberText value={rows.length} />; the file has all of them.
        </Text>
      )}
    </Stack>
  );
}
