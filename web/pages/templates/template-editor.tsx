import { Alert, Button, Grid, Group, Stack, Text } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Template } from '../../../contract/templates.ts';
import { api } from '../../api.ts';
import { keyOf, queryClient, refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { useDraft } from '../../ui/draft.ts';
import { PageHeader, ProblemAlert, StateBadge, tell, TimeText, UnsavedGuard } from '../../ui/index.ts';
import {
  changeBody,
  createBody,
  draftFromTemplate,
  isSameDraft,
  samplePerson,
  type Draft,
  type Problem,
} from './draft.rules.ts';
import { ContentCard } from './content-card.tsx';
import { PreviewCard } from './preview-card.tsx';
import { usePreview } from './preview.ts';
import { ProblemList } from './problem-list.tsx';
import { SettingsCard } from './settings-card.tsx';
import { TemplateMenu } from './template-menu.tsx';
import { TestSendModal } from './test-send-modal.tsx';
import { VariablesCard } from './variables-card.tsx';

export interface TemplateEditorProps {
  /** None: it has yet to be made. */
  readonly template?: Template;
  readonly initial: Draft;
  readonly draftKey: string;
}

/** What is in the editor against what is stored: dirty, kept in the browser, saved as a new version. */
function useEditing({ template, initial, draftKey }: TemplateEditorProps) {
  const [saved, setSaved] = useState<{ template: Template | undefined; draft: Draft }>({ template, draft: initial });
  const [draft, setDraft] = useState(initial);
  const kept = useDraft<Draft>(draftKey);
  const isDirty = !isSameDraft(draft, saved.draft);
  const base = String(saved.template?.revision ?? 0);
  const { keep, discard } = kept;
  const touched = useRef(false);
  useEffect(() => {
    // Only what was changed here is kept; what an earlier visit left must survive until it is taken up or thrown away.
    if (isDirty) {
      touched.current = true;
      keep(draft, base);
    } else if (touched.current) discard();
  }, [isDirty, draft, base, keep, discard]);
  // Somebody else saved it meanwhile, and nothing was typed here: show theirs. With something typed, saving says so.
  if (template && !isDirty && template.revision > (saved.template?.revision ?? 0)) {
    setSaved({ template, draft: initial });
    setDraft(initial);
  }
  const settle = (stored: Template) => {
    const draftStored = draftFromTemplate(stored);
    setSaved({ template: stored, draft: draftStored });
    setDraft(draftStored);
    discard();
  };
  return { saved, draft, setDraft, kept, isDirty, settle };
}

export function TemplateEditor(props: TemplateEditorProps) {
  const navigate = useNavigate();
  const can = useCan();
  const editing = useEditing(props);
  const { saved, draft, isDirty } = editing;
  const [reader, setReader] = useState(samplePerson);
  const preview = usePreview(draft, reader);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [jump, setJump] = useState<{ where: Problem['where']; line: number; nonce: number }>();
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [isTesting, setTesting] = useState(false);
  const problems = useMemo(() => preview.query.data?.problems ?? [], [preview.query.data]);
  const isNew = saved.template === undefined;
  const isEditable = can('templates:write') && saved.template?.status !== 'archived';

  const save = async () => {
    if (busy || !isEditable || (!isNew && !isDirty)) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const stored = saved.template
        ? await api('PATCH /templates/:id', {
            params: { id: saved.template.id },
            body: changeBody(saved.draft, draft),
            ifMatch: saved.template.revision,
          })
        : await api('POST /templates', { body: createBody(draft), idempotencyKey });
      queryClient.setQueryData(keyOf('GET /templates/:id', { params: { id: stored.id } }), stored);
      editing.settle(stored);
      await refresh('templates', 'dashboard');
      tell.done(isNew ? 'The template is made.' : `Saved as version ${stored.version}.`);
      if (isNew)
        await navigate({ to: '/templates/$id', params: { id: stored.id }, replace: true, ignoreBlocker: true });
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  useHotkeys([['mod+S', () => void save()]], [], true);
  return (
    <>
      <PageHeader
        title={draft.name || 'New template'}
        crumbs={[{ label: 'Templates', to: '/templates' }]}
        badge={saved.template?.status === 'archived' && <StateBadge state="archived" />}
        description={<SavedState editing={editing} />}
        actions={
          <>
            {saved.template && (
              <TemplateMenu
                template={saved.template}
                onStored={editing.settle}
                onRestored={editing.setDraft}
                draft={draft}
              />
            )}
            {saved.template && can('messages:send') && (
              <Button variant="default" onClick={() => setTesting(true)}>
                Send a test…
              </Button>
            )}
            {isEditable && (
              <Button loading={busy} disabled={!isNew && !isDirty} onClick={() => void save()}>
                {isNew ? 'Save the template' : 'Save'}
              </Button>
            )}
          </>
        }
      />
      <UnsavedGuard when={isDirty && !busy} />
      <Stack gap="md">
        <KeptDraft editing={editing} />
        <ProblemAlert problem={problem} />
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
          draft={saved.draft}
          reader={reader}
          isDirty={isDirty}
          onClose={() => setTesting(false)}
        />
      )}
    </>
  );
}

type Editing = ReturnType<typeof useEditing>;

function SavedState({ editing }: { editing: Editing }) {
  const { saved, isDirty, kept } = editing;
  const stored = saved.template;
  return (
    <span role="status">
      {stored ? (
        <>
          Version {stored.version}, saved <TimeText at={stored.updatedAt} relative />
        </>
      ) : (
        'Not saved yet'
      )}
      {isDirty && ' · unsaved changes'}
      {isDirty && kept.keptAt && ', kept in this browser'}
    </span>
  );
}

/** Work that an earlier visit did not save is offered, never forced on anybody. */
function KeptDraft({ editing }: { editing: Editing }) {
  const { kept, saved } = editing;
  const { found } = kept;
  if (!found || isSameDraft(found.value, saved.draft)) return null;
  const isOlder = saved.template !== undefined && found.base !== String(saved.template.revision);
  return (
    <Alert color="blue" variant="light" title="There is unsaved work from an earlier visit">
      <Text size="sm">
        Kept in this browser <TimeText at={found.at} relative />.{' '}
        {isOlder && 'The template was saved again since then; taking it up would replace that with the older work.'}
      </Text>
      <Group mt="sm" gap="xs">
        <Button
          size="xs"
          onClick={() => {
            editing.setDraft(found.value);
            kept.settle();
          }}
        >
          Take it up again
        </Button>
        <Button size="xs" variant="default" onClick={kept.discard}>
          Throw it away
        </Button>
      </Group>
    </Alert>
  );
}
