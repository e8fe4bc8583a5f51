import { Badge, Card, Grid, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { countSegments } from '../../../contract/sms-segments.ts';
import type { RenderedTemplate } from '../../../contract/templates.ts';
import { channels } from '../../ui/channels.ts';
import { Device } from '../../ui/device.tsx';
import { ProblemAlert } from '../../ui/index.ts';
import { ContentFields } from './content-fields.tsx';
import {
  changeContentBody,
  contentFromTemplate,
  contentPreviewBody,
  contentValues,
  createContentBody,
  hasContent,
  isSameContent,
  shownOf,
  type ContentDraft,
} from './content.rules.ts';
import { samplePerson } from './draft.rules.ts';
import { EditorHead, KeptDraft, useEditing, useSaving, type DraftKind, type EditorProps } from './editing.tsx';
import { ReaderChoice } from './preview-card.tsx';
import { askPreview } from './preview.ts';
import { ProblemList } from './problem-list.tsx';
import { SettingsCard } from './settings-card.tsx';
import { TestSendModal } from './test-send-modal.tsx';
import { VariablesCard } from './variables-card.tsx';

const content: DraftKind<ContentDraft> = {
  read: contentFromTemplate,
  isSame: isSameContent,
  createBody: createContentBody,
  changeBody: changeContentBody,
};
const typingPauseMs = 350;

/** The editor of what is no e-mail: the fields of its channel, and beside them the device it arrives on. */
export function ContentEditor(props: EditorProps<ContentDraft>) {
  const editing = useEditing(props, content);
  const saving = useSaving(editing);
  const { saved, draft, isDirty, isEditable } = editing;
  const { channel } = draft.source;
  const [reader, setReader] = useState(samplePerson);
  const [isTesting, setTesting] = useState(false);
  const body = useMemo(() => contentPreviewBody(draft, reader), [draft, reader]);
  const [settled] = useDebouncedValue(body, typingPauseMs);
  const isBegun = hasContent(draft);
  const preview = useQuery({
    ...askPreview(settled),
    enabled: isBegun,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  const isBehind = isBegun && (settled !== body || preview.isFetching);
  return (
    <>
      <EditorHead
        editing={editing}
        saving={saving}
        onTest={() => setTesting(true)}
        badge={<Badge variant="light">{channels[channel].label}</Badge>}
      />
      <Stack gap="md">
        <KeptDraft editing={editing} />
        <ProblemAlert problem={saving.problem} />
        <SettingsCard draft={draft} onChange={editing.setDraft} isEditable={isEditable} />
        <Grid gap="md">
          <Grid.Col span={{ base: 12, lg: 6 }}>
            <Stack gap="md">
              <Card withBorder>
                <ContentFields
                  source={draft.source}
                  onChange={(source) => editing.setDraft({ ...draft, source })}
                  isEditable={isEditable}
                  problems={preview.data?.problems ?? []}
                />
              </Card>
              <ProblemList problems={preview.data?.problems ?? []} onJump={() => undefined} />
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 6 }}>
            <Stack gap="md">
              <Card withBorder>
                <Stack gap="sm">
                  <Group gap="xs">
                    <Title order={2} size="h5">
                      Preview
                    </Title>
                    {isBehind && <Loader size="xs" role="status" aria-label="Updating the preview" />}
                  </Group>
                  <ReaderChoice needed={contentValues(draft)} reader={reader} onReader={setReader} />
                  <ProblemAlert problem={preview.error} onRetry={() => void preview.refetch()} />
                  <Preview rendered={preview.data} isBegun={isBegun} />
                </Stack>
              </Card>
              <VariablesCard variables={preview.data?.variables ?? saved.template?.variables ?? []} />
            </Stack>
          </Grid.Col>
        </Grid>
      </Stack>
      {saved.template && isTesting && (
        <TestSendModal
          template={saved.template}
          needed={contentValues(saved.draft)}
          reader={reader}
          isDirty={isDirty}
          onClose={() => setTesting(false)}
        />
      )}
    </>
  );
}

function Preview({ rendered, isBegun }: { rendered: RenderedTemplate | undefined; isBegun: boolean }) {
  if (!isBegun)
    return (
      <Text c="dimmed" ta="center" py={40}>
        Name the template as it is called at Meta, and it is shown here.
      </Text>
    );
  const shown = rendered?.content ?? undefined;
  if (shown === undefined)
    return (
      <Text c="dimmed" ta="center" py={40}>
        {rendered === undefined ? 'The preview is loading' : 'Nothing to show: correct the errors listed beside.'}
      </Text>
    );
  return (
    <Stack gap="xs">
      <Device channel={shown.channel} shown={shownOf(shown)} />
      {shown.channel === 'sms' && <Segments text={shown.text} />}
      {shown.channel === 'whatsapp' && shown.content.kind === 'template' && (
        <Text size="sm" c="dimmed">
          The words of the template are at Meta; here you see the values that fill its gaps.
        </Text>
      )}
    </Stack>
  );
}

/** What is billed, counted on the text with its values: a long name may take one part more. */
function Segments({ text }: { text: string }) {
  const { count, encoding, length, left, outside } = countSegments(text);
  return (
    <div role="status">
      <Text size="sm">
        {count} {count === 1 ? 'part' : 'parts'} · {length} characters · {left} left in {count > 1 ? 'the last' : 'it'}
      </Text>
      <Text size="sm" c="dimmed">
        {encoding === 'gsm7'
          ? 'GSM alphabet: 160 characters in one part, 153 in each of several.'
          : `Unicode, because of ${outside.slice(0, 5).join(' ')}: 70 characters in one part, 67 in each of several.`}{' '}
        Links are counted as they are shown here; tracked ones are about 90 characters long when they go out.
      </Text>
    </div>
  );
}
