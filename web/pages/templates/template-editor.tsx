import { Grid, Stack } from '@mantine/core';
import { useMemo, useState } from 'react';
import { ProblemAlert } from '../../ui/index.ts';
import {
  changeBody,
  createBody,
  draftFromTemplate,
  isSameDraft,
  samplePerson,
  valuesNeeded,
  type Draft,
  type Problem,
} from './draft.rules.ts';
import { ContentCard } from './content-card.tsx';
import { EditorHead, KeptDraft, useEditing, useSaving, type DraftKind, type EditorProps } from './editing.tsx';
import { PreviewCard } from './preview-card.tsx';
import { usePreview } from './preview.ts';
import { ProblemList } from './problem-list.tsx';
import { SettingsCard } from './settings-card.tsx';
import { TestSendModal } from './test-send-modal.tsx';
import { VariablesCard } from './variables-card.tsx';

const mail: DraftKind<Draft> = { read: draftFromTemplate, isSame: isSameDraft, createBody, changeBody };

/** The editor of an e-mail. */
export function TemplateEditor(props: EditorProps<Draft>) {
  const editing = useEditing(props, mail);
  const saving = useSaving(editing);
  const { saved, draft, isDirty, isEditable } = editing;
  const [reader, setReader] = useState(samplePerson);
  const preview = usePreview(draft, reader);
  const [jump, setJump] = useState<{ where: Problem['where']; line: number; nonce: number }>();
  const [isTesting, setTesting] = useState(false);
  const problems = useMemo(() => preview.query.data?.problems ?? [], [preview.query.data]);
  return (
    <>
      <EditorHead editing={editing} saving={saving} onTest={() => setTesting(true)} />
      <Stack gap="md">
        <KeptDraft editing={editing} />
        <ProblemAlert problem={saving.problem} />
        <SettingsCard draft={draft} onChange={editing.setDraft} isEditable={isEditable} />
        <Grid gap="md">
          <Grid.Col span={{ base: 12, lg: 6 }}>
            <Stack gap="md">
              <ContentCard
                draft={draft}
                onChange={editing.setDraft}
                isEditable={isEditable}
                problems={problems}
                jump={jump}
              />
              <ProblemList
                problems={problems}
                onJump={({ where, line }) => line !== null && setJump({ where, line, nonce: Date.now() })}
              />
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 6 }}>
            <Stack gap="md">
              <PreviewCard draft={draft} preview={preview} reader={reader} onReader={setReader} />
              <VariablesCard variables={preview.query.data?.variables ?? saved.template?.variables ?? []} />
            </Stack>
          </Grid.Col>
        </Grid>
      </Stack>
      {saved.template && isTesting && (
        <TestSendModal
          template={saved.template}
          needed={valuesNeeded(saved.draft)}
          reader={reader}
          isDirty={isDirty}
          onClose={() => setTesting(false)}
        />
      )}
    </>
  );
}
