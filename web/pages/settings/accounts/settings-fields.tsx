import {
  ActionIcon,
  Button,
  Group,
  NumberInput,
  PasswordInput,
  Select,
  Stack,
  Switch,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconPlus, IconX } from '@tabler/icons-react';
import { Section } from '../../../ui/index.ts';
import type { AccountValues } from './account-values.ts';
import type { Field, FieldValue, RowValue } from './fields.rules.ts';

type Form = UseFormReturnType<AccountValues>;

/** The settings of a vendor, made from its schema: nobody writes a form for a new one. */
export function SettingsFields(props: {
  form: Form;
  title: string;
  fields: readonly Field[];
  secretsSet: readonly string[];
}) {
  if (props.fields.length === 0) return null;
  return (
    <Section title={props.title} description="As they stand in the vendor’s console.">
      <Stack>
        {props.fields.map((field) => (
          <FieldInput key={field.name} {...props} field={field} />
        ))}
      </Stack>
    </Section>
  );
}

interface InputProps {
  readonly form: Form;
  readonly field: Field;
  readonly secretsSet: readonly string[];
}

function FieldInput({ form, field, secretsSet }: InputProps) {
  const value = form.getValues().fields[field.name] ?? field.initial;
  const set = (next: FieldValue) => {
    form.setFieldValue('fields', { ...form.getValues().fields, [field.name]: next });
    form.clearFieldError(`settings.${field.name}`);
  };
  const text = typeof value === 'string' ? value : '';
  const shared = {
    label: field.title,
    description: field.description,
    error: form.errors[`settings.${field.name}`],
    readOnly: field.isReadOnly,
  };
  const placeholder = secretsSet.includes(field.name) ? 'Stored; type to replace it' : '';
  switch (field.kind) {
    case 'switch':
      return (
        <Switch
          label={field.title}
          description={field.description}
          checked={value === true}
          onChange={(event) => set(event.currentTarget.checked)}
        />
      );
    case 'number':
      return (
        <NumberInput
          {...shared}
          value={typeof value === 'number' ? value : text}
          {...(field.min === undefined ? {} : { min: field.min })}
          {...(field.max === undefined ? {} : { max: field.max })}
          onChange={set}
        />
      );
    case 'choice':
      return (
        <Select
          {...shared}
          data={[...field.choices]}
          value={text === '' ? null : text}
          clearable={field.mayBeEmpty && !field.hasDefault}
          onChange={(next) => set(next ?? '')}
        />
      );
    case 'secret':
      return (
        <PasswordInput
          {...shared}
          autoComplete="new-password"
          placeholder={placeholder}
          visibilityToggleButtonProps={{ 'aria-label': `Show or hide: ${field.title}` }}
          value={text}
          onChange={(event) => set(event.currentTarget.value)}
        />
      );
    case 'long':
    case 'lines':
      return (
        <Textarea
          {...shared}
          placeholder={field.kind === 'lines' ? 'One a line' : placeholder}
          autosize
          minRows={field.kind === 'lines' ? 2 : 3}
          maxRows={10}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          value={text}
          onChange={(event) => set(event.currentTarget.value)}
        />
      );
    case 'rows':
      return <Rows form={form} field={field} rows={Array.isArray(value) ? value : []} onChange={set} />;
    case 'text':
      return (
        <TextInput {...shared} autoComplete="off" value={text} onChange={(event) => set(event.currentTarget.value)} />
      );
  }
}

function Rows(props: {
  form: Form;
  field: Field;
  rows: readonly RowValue[];
  onChange: (rows: readonly RowValue[]) => void;
}) {
  const { form, field, rows, onChange } = props;
  const error = form.errors[`settings.${field.name}`];
  return (
    <div role="group" aria-label={field.title}>
      <Text size="sm" fw={500}>
        {field.title}
      </Text>
      {field.description && (
        <Text size="xs" c="dimmed">
          {field.description}
        </Text>
      )}
      <Stack gap="xs" mt="xs">
        {rows.map((row, at) => (
          <Group key={at} align="flex-start" gap="xs">
            {field.columns.map((column) => (
              <TextInput
                key={column.name}
                aria-label={`${column.title} ${at + 1}`}
                placeholder={column.title}
                style={{ flex: 1 }}
                value={row[column.name] ?? ''}
                error={form.errors[`settings.${field.name}.${at}.${column.name}`]}
                onChange={(event) => onChange(rows.with(at, { ...row, [column.name]: event.currentTarget.value }))}
              />
            ))}
            <ActionIcon
              variant="default"
              size={36}
              aria-label={`Remove ${field.title} ${at + 1}`}
              onClick={() => onChange(rows.toSpliced(at, 1))}
            >
              <IconX size={16} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
        {error !== undefined && (
          <Text size="xs" c="red">
            {error}
          </Text>
        )}
        <Group>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => onChange([...rows, {}])}
          >
            Add
          </Button>
        </Group>
      </Stack>
    </div>
  );
}
