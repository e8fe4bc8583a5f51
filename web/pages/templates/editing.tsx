import { Alert, Button, Group, Text } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { Template } from '../../../contract/templates.ts';
import { api, type Given } from '../../api.ts';
import { keyOf, queryClient, refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { useDraft } from '../../ui/draft.ts';
import { PageHeader, StateBadge, tell, TimeText, UnsavedGuard } from '../../ui/index.ts';
import { TemplateMenu } from './template-menu.tsx';

/** How templates of a kind of channel are edited: what is in the editor, and what the API is given of it. */
export interface DraftKind<Draft extends { readonly name: string }> {
  read(template: Pick<Template, 'name' | 'category' | 'locale' | 'source'>): Draft;
  isSame(a: Draft, b: Draft): boolean;
  createBody(draft: Draft): Given<'POST /templates'>['body'];
  /** Only what changed: content that is the same must not become a new version. */
  changeBody(before: Draft, after: Draft): Given<'PATCH /templates/:id'>['body'];
}

export interface EditorProps<Draft> {
  /** None: it has yet to be made. */
  readonly template?: Template;
  readonly initial: Draft;
  readonly draftKey: string;
}

/** What is in the editor against what is stored: dirty, kept in the browser, saved as a new version. */
export function useEditing<Draft extends { readonly name: string }>(
  { template, initial, draftKey }: EditorProps<Draft>,
  kind: DraftKind<Draft>,
) {
  const [saved, setSaved] = useState<{ template: Template | undefined; draft: Draft }>({ template, draft: initial });
  const [draft, setDraft] = useState(initial);
  const kept = useDraft<Draft>(draftKey);
  const isDirty = !kind.isSame(draft, saved.draft);
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
    const draftStored = kind.read(stored);
    setSaved({ template: stored, draft: draftStored });
    setDraft(draftStored);
    discard();
  };
  const can = useCan();
  const isEditable = can('templates:write') && saved.template?.status !== 'archived';
  return { saved, draft, setDraft, kept, isDirty, settle, isEditable, kind };
}

export interface Editing<Draft extends { readonly name: string }> extends ReturnType<typeof useEditing<Draft>> {}

/** Saves what is in the editor as a new template or a new version; Ctrl+S does so too. */
export function useSaving<Draft extends { readonly name: string }>(editing: Editing<Draft>) {
  const navigate = useNavigate();
  const { saved, draft, isDirty, isEditable, kind } = editing;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const isNew = saved.template === undefined;
  const save = async () => {
    if (busy || !isEditable || (!isNew && !isDirty)) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const stored = saved.template
        ? await api('PATCH /templates/:id', {
            params: { id: saved.template.id },
            body: kind.changeBody(saved.draft, draft),
            ifMatch: saved.template.revision,
          })
        : await api('POST /templates', { body: kind.createBody(draft), idempotencyKey });
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
  return { save, busy, problem };
}

/** The head of an editor: the name, how it is saved, and what can be done with it. */
export function EditorHead<
  Draft extends { readonly name: string; readonly category: string; readonly locale: string },
>(props: { editing: Editing<Draft>; saving: ReturnType<typeof useSaving>; onTest: () => void; badge?: ReactNode }) {
  const { editing, saving } = props;
  const { saved, draft, isDirty, isEditable, kind } = editing;
  const can = useCan();
  const isNew = saved.template === undefined;
  return (
    <>
      <PageHeader
        title={draft.name || 'New template'}
        crumbs={[{ label: 'Templates', to: '/templates' }]}
        badge={saved.template?.status === 'archived' ? <StateBadge state="archived" /> : props.badge}
        description={<SavedState editing={editing} />}
        actions={
          <>
            {saved.template && (
              <TemplateMenu
                template={saved.template}
                onStored={editing.settle}
                onRestored={(source) => editing.setDraft(kind.read({ ...draft, source } as never))}
              />
            )}
            {saved.template && can('messages:send') && (
              <Button variant="default" onClick={props.onTest}>
                Send a test…
              </Button>
            )}
            {isEditable && (
              <Button loading={saving.busy} disabled={!isNew && !isDirty} onClick={() => void saving.save()}>
                {isNew ? 'Save the template' : 'Save'}
              </Button>
            )}
          </>
        }
      />
      <UnsavedGuard when={isDirty && !saving.busy} />
    </>
  );
}

function SavedState<Draft extends { readonly name: string }>({ editing }: { editing: Editing<Draft> }) {
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
export function KeptDraft<Draft extends { readonly name: string }>({ editing }: { editing: Editing<Draft> }) {
  const { kept, saved } = editing;
  const { found } = kept;
  if (!found || editing.kind.isSame(found.value, saved.draft)) return null;
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
