import {
  Box,
  Button,
  Card,
  Collapse,
  Group,
  Loader,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import { ContactPicker } from '../../ui/contact-picker.tsx';
import { MailFrame } from '../../ui/mail-frame.tsx';
import { ProblemAlert } from '../../ui/index.ts';
import { madeUpValue, valuesNeeded, type Draft, type Reader } from './draft.rules.ts';
import type { usePreview } from './preview.ts';

const phoneWidth = 375;

/** The mail as one reader would see it, a moment after each key stroke. */
export function PreviewCard(props: {
  draft: Draft;
  preview: ReturnType<typeof usePreview>;
  reader: Reader;
  onReader: (reader: Reader) => void;
}) {
  const { query, isBehind } = props.preview;
  const [view, setView] = useState('desktop');
  const shown = query.data;
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Group gap="xs">
            <Title order={2} size="h5">
              Preview
            </Title>
            {(isBehind || query.isFetching) && <Loader size="xs" role="status" aria-label="Updating the preview" />}
          </Group>
          <SegmentedControl
            size="xs"
            aria-label="Show it as"
            data={[
              { value: 'desktop', label: 'Desktop' },
              { value: 'phone', label: 'Phone' },
              { value: 'text', label: 'Plain text' },
            ]}
            value={view}
            onChange={setView}
          />
        </Group>
        <ReaderChoice needed={valuesNeeded(props.draft)} reader={props.reader} onReader={props.onReader} />
        <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
        {shown && (
          <Box p="xs" bg="var(--mantine-color-default-hover)" style={{ borderRadius: 'var(--mantine-radius-sm)' }}>
            <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
              {shown.subject ?? 'No subject yet'}
            </Text>
            {props.draft.preheader && (
              <Text size="sm" c="dimmed" truncate>
                {props.draft.preheader}
              </Text>
            )}
          </Box>
        )}
        <Shown view={view} html={shown?.html ?? null} text={shown?.text ?? null} isLoading={query.isPending} />
      </Stack>
    </Card>
  );
}

function Shown(props: { view: string; html: string | null; text: string | null; isLoading: boolean }) {
  if (props.view === 'text') {
    return props.text === null ? (
      <NothingYet isLoading={props.isLoading} />
    ) : (
      <Box
        component="pre"
        tabIndex={0}
        aria-label="Plain text of the mail"
        p="sm"
        m={0}
        mah={560}
        style={{
          whiteSpace: 'pre-wrap',
          overflowWrap: 'anywhere',
          overflowY: 'auto',
          border: '1px solid var(--mantine-color-default-border)',
          borderRadius: 'var(--mantine-radius-sm)',
        }}
      >
        {props.text}
      </Box>
    );
  }
  if (props.html === null) return <NothingYet isLoading={props.isLoading} />;
  return (
    <MailFrame
      html={props.html}
      title="Preview of the mail"
      height={560}
      {...(props.view === 'phone' ? { width: phoneWidth } : {})}
    />
  );
}

function NothingYet({ isLoading }: { isLoading: boolean }) {
  return (
    <Text c="dimmed" ta="center" py={80}>
      {isLoading ? 'The preview is loading' : 'Nothing to show: correct the errors listed with the source.'}
    </Text>
  );
}

/** Whom it is shown for: a made-up person with values that can be changed, or a contact. */
export function ReaderChoice(props: { needed: readonly string[]; reader: Reader; onReader: (reader: Reader) => void }) {
  const { reader, onReader } = props;
  const [isOpen, { toggle }] = useDisclosure();
  const needed = props.needed.filter((name) => !reader.contactId || name.startsWith('variables.'));
  return (
    <Stack gap="xs">
      <Group align="flex-end" gap="xs">
        <ContactPicker
          label="As seen by"
          placeholder="A made-up person"
          value={reader.contactId}
          onChange={(contactId) => onReader({ ...reader, contactId })}
        />
        {needed.length > 0 && (
          <Button variant="subtle" onClick={toggle} aria-expanded={isOpen}>
            {isOpen ? 'Hide the values' : 'Change the values'}
          </Button>
        )}
      </Group>
      <Collapse expanded={isOpen && needed.length > 0}>
        <Group align="flex-start" gap="xs">
          {needed.map((name) => (
            <TextInput
              key={name}
              size="xs"
              label={name}
              placeholder={madeUpValue(name)}
              value={reader.values[name] ?? ''}
              onChange={(event) =>
                onReader({ ...reader, values: { ...reader.values, [name]: event.currentTarget.value } })
              }
            />
          ))}
        </Group>
      </Collapse>
    </Stack>
  );
}
