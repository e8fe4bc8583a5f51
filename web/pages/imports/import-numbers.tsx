import { Paper, SimpleGrid, Text } from '@mantine/core';
import type { ContactImport } from '../../../contract/imports.ts';
import { NumberText } from '../../ui/index.ts';

/** What became of the rows. */
export function ImportNumbers({ data }: { data: ContactImport }) {
  const numbers = [
    { label: 'Rows read', value: data.rowsRead },
    { label: data.dryRun ? 'Would be added' : 'Added', value: data.created },
    { label: data.dryRun ? 'Would be changed' : 'Changed', value: data.updated },
    { label: 'Already the same', value: data.unchanged },
    { label: data.dryRun ? 'Would be refused' : 'Refused', value: data.rejected, isBad: data.rejected > 0 },
  ];
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} component="dl" m={0}>
      {numbers.map((number) => (
        <Paper key={number.label} withBorder p="sm">
          <Text component="dt" size="sm" c="dimmed">
            {number.label}
          </Text>
          <Text component="dd" m={0} fz={24} fw={650} {...(number.isBad ? { c: 'var(--mantine-color-error)' } : {})}>
            <NumberText value={number.value} />
          </Text>
        </Paper>
      ))}
    </SimpleGrid>
  );
}
