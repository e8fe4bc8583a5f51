import { Alert, Card, Group, Select, Stack, Text, TextInput, Title, type ComboboxData } from '@mantine/core';
import { useMemo } from 'react';
import type { Attribute } from '../../../contract/attributes.ts';
import { countries } from '../../ui/countries.ts';
import classes from './columns-card.module.css';
import { mappingProblems, notationText, standardFields, type FieldType, type MappedColumn } from './mapping.rules.ts';

const types: { value: FieldType; label: string }[] = [
  { value: 'text', label: 'Text' },
  { value: 'number', label: 'Number' },
  { value: 'boolean', label: 'Yes or no' },
  { value: 'date', label: 'Date' },
  { value: 'list', label: 'List' },
];

/** What each column becomes, with values from the file beside it. */
export function ColumnsCard(props: {
  columns: readonly MappedColumn[];
  onColumns: (columns: readonly MappedColumn[]) => void;
  known: readonly Attribute[];
  defaultCountry: string;
  onDefaultCountry: (country: string) => void;
}) {
  const problems = useMemo(() => mappingProblems(props.columns), [props.columns]);
  const fields = useMemo(() => fieldChoices(props.known), [props.known]);
  const hasPhone = props.columns.some((column) => column.field === 'phone');
  const change = (at: number, patch: Partial<MappedColumn>) =>
    props.onColumns(props.columns.map((column, index) => (index === at ? { ...column, ...patch } : column)));
  return (
    <Card withBorder>
      <Stack>
        <Title order={2} size="h4">
          2. Columns
        </Title>
        <Text size="sm" c="dimmed">
          Suggested from the header and the values. Rows are matched to contacts by external id, then by address.
        </Text>
        {problems.has('') && (
          <Alert color="yellow" variant="light">
            {problems.get('')}
          </Alert>
        )}
        <ul className={classes['list'] ?? ''}>
          {props.columns.map((column, at) => (
            <ColumnRow
              // Two columns may have the same name.
              key={`${at} ${column.name}`}
              column={column}
              fields={fields}
              problem={problems.get(column.name)}
              onChange={(patch) => change(at, patch)}
            />
          ))}
        </ul>
        {hasPhone && (
          <Select
            label="Phone numbers without a country code are from"
            description="Numbers that start with + are not affected"
            searchable
            clearable
            clearButtonProps={{ 'aria-label': 'Clear the country' }}
            maw={360}
            placeholder="The workspace’s country"
            data={[...countries()]}
            value={props.defaultCountry || null}
            onChange={(country) => props.onDefaultCountry(country ?? '')}
          />
        )}
      </Stack>
    </Card>
  );
}

function fieldChoices(known: readonly Attribute[]): ComboboxData {
  return [
    { group: 'Contact', items: [...standardFields] },
    {
      group: 'Attributes',
      items: [
        ...known.map((attribute) => ({ value: `attributes.${attribute.key}`, label: attribute.label })),
        { value: 'new', label: 'A new attribute' },
      ],
    },
    { group: 'Or', items: [{ value: 'ignore', label: 'Leave out' }] },
  ];
}

function ColumnRow(props: {
  column: MappedColumn;
  fields: ComboboxData;
  problem: string | undefined;
  onChange: (patch: Partial<MappedColumn>) => void;
}) {
  const { column, problem, onChange } = props;
  const isNew = column.field === 'new';
  return (
    <li className={classes['row'] ?? ''}>
      <div className={classes['column'] ?? ''}>
        <Text fw={600} size="sm">
          {column.name || 'Without a name'}
        </Text>
        <Text size="sm" c="dimmed" lineClamp={2}>
          {column.samples.filter((sample) => sample !== '').join(' · ') || 'Empty in the first rows'}
        </Text>
      </div>
      <Group gap="xs" align="flex-start" className={classes['choice'] ?? ''}>
        <Select
          aria-label={`${column.name} becomes`}
          searchable
          allowDeselect={false}
          data={props.fields}
          value={column.field}
          onChange={(field) => field && onChange({ field })}
          error={isNew ? undefined : problem}
        />
        {isNew && (
          <>
            <TextInput
              aria-label={`Key of the new attribute for ${column.name}`}
              value={column.newKey}
              onChange={(event) => onChange({ newKey: event.currentTarget.value })}
              error={problem}
            />
            <Select
              aria-label={`Type of the new attribute for ${column.name}`}
              w={130}
              allowDeselect={false}
              data={types}
              value={column.newType}
              onChange={(type) => onChange({ newType: type as FieldType })}
              description={notationText(column)}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
            />
          </>
        )}
      </Group>
    </li>
  );
}
