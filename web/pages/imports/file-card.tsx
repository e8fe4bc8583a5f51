import { Card, Group, Select, Stack, Text, Title } from '@mantine/core';
import '@mantine/dropzone/styles.css';
import { Dropzone } from '@mantine/dropzone';
import { IconFileTypeCsv, IconUpload } from '@tabler/icons-react';
import { useFormats } from '../../ui/index.ts';
import type { Preview } from './mapping.rules.ts';
import type { Overrides } from './preview.ts';

const delimiters = [
  { value: ',', label: 'Comma' },
  { value: ';', label: 'Semicolon' },
  { value: '\t', label: 'Tab' },
  { value: '|', label: 'Vertical bar' },
];
const encodings = [
  { value: 'utf-8', label: 'UTF-8' },
  { value: 'utf-16le', label: 'UTF-16 (little endian)' },
  { value: 'utf-16be', label: 'UTF-16 (big endian)' },
  { value: 'windows-1252', label: 'Windows-1252 (Western Excel)' },
];

export function FileCard(props: {
  file: File | undefined;
  preview: Preview | undefined;
  isReading: boolean;
  overrides: Overrides;
  onFile: (file: File) => void;
  onOverrides: (overrides: Overrides) => void;
}) {
  const { file, preview } = props;
  return (
    <Card withBorder>
      <Stack>
        <Title order={2} size="h4">
          1. File
        </Title>
        <Dropzone
          multiple={false}
          loading={props.isReading}
          onDrop={(files) => files[0] && props.onFile(files[0])}
          inputProps={{ 'aria-label': 'CSV file' }}
          aria-label="Choose a CSV file, or drop it here"
        >
          <Group justify="center" gap="md" mih={96} style={{ pointerEvents: 'none' }}>
            {file ? (
              <IconFileTypeCsv size={36} stroke={1.5} aria-hidden />
            ) : (
              <IconUpload size={36} stroke={1.5} aria-hidden />
            )}
            <div>
              <Text fw={600}>{file ? file.name : 'Drop a CSV file here, or click to choose one'}</Text>
              <Text size="sm" c="dimmed">
                {file ? (
                  <Size bytes={file.size} />
                ) : (
                  'With a header line. Comma, semicolon or tab; UTF-8, UTF-16 or Western Excel.'
                )}
              </Text>
            </div>
          </Group>
        </Dropzone>
        {file && preview && (
          <Group align="flex-end">
            <Select
              label="Columns are separated by"
              allowDeselect={false}
              data={delimiters}
              value={props.overrides.delimiter ?? preview.delimiter}
              onChange={(value) => props.onOverrides({ ...props.overrides, delimiter: value as Preview['delimiter'] })}
            />
            <Select
              label="Characters are written as"
              w={260}
              allowDeselect={false}
              data={encodings}
              value={props.overrides.encoding ?? preview.encoding}
              onChange={(value) => props.onOverrides({ ...props.overrides, encoding: value as Preview['encoding'] })}
            />
            <Text size="sm" c="dimmed" pb={8}>
              Detected; change it if the samples below look wrong.
            </Text>
          </Group>
        )}
      </Stack>
    </Card>
  );
}

function Size({ bytes }: { bytes: number }) {
  const formats = useFormats();
  if (bytes < 1024) return <>{formats.number(bytes)} bytes. Choose another file by clicking here.</>;
  const isLarge = bytes >= 1024 * 1024;
  const value = Math.round((bytes / (isLarge ? 1024 * 1024 : 1024)) * 10) / 10;
  return (
    <>
      {formats.number(value)} {isLarge ? 'MB' : 'kB'}. Choose another file by clicking here.
    </>
  );
}
