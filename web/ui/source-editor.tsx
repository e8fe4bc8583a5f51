import { useComputedColorScheme } from '@mantine/core';
import { html } from '@codemirror/lang-html';
import { RangeSetBuilder, type Extension } from '@codemirror/state';
import {
  Decoration,
  EditorView,
  MatchDecorator,
  ViewPlugin,
  type DecorationSet,
  type ViewUpdate,
} from '@codemirror/view';
import CodeMirror, { type ReactCodeMirrorRef } from '@uiw/react-codemirror';
import { useEffect, useMemo, useRef } from 'react';

export interface SourceEditorProps {
  /** What is edited, for those who do not see it. */
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly language: 'markup' | 'text';
  readonly readOnly?: boolean;
  /** Lines to mark, counted from 1. */
  readonly marked?: readonly number[];
  /** Puts the cursor there whenever `nonce` changes. */
  readonly jump?: { readonly line: number; readonly nonce: number };
  /** Puts text in at the cursor whenever `nonce` changes. */
  readonly insert?: { readonly text: string; readonly nonce: number };
  readonly height?: string;
}

/** Loaded on demand (see `lazy-source-editor.tsx`): CodeMirror is most of what it weighs. */
export function SourceEditor(props: SourceEditorProps) {
  const scheme = useComputedColorScheme('light');
  const editor = useRef<ReactCodeMirrorRef>(null);
  const { label, language, marked, jump } = props;
  const extensions = useMemo(
    () => [
      ...(language === 'markup' ? [html({ autoCloseTags: true })] : []),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': label }),
      liquid,
      looks,
      markedLines(marked ?? []),
    ],
    [label, language, marked],
  );
  useEffect(() => {
    const view = editor.current?.view;
    if (!view || !jump) return;
    const line = view.state.doc.line(Math.min(Math.max(jump.line, 1), view.state.doc.lines));
    view.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: 'center' }) });
    view.focus();
  }, [jump]);
  const { insert } = props;
  useEffect(() => {
    const view = editor.current?.view;
    if (!view || !insert) return;
    view.dispatch(view.state.replaceSelection(insert.text));
    view.focus();
  }, [insert]);
  return (
    <CodeMirror
      ref={editor}
      value={props.value}
      onChange={props.onChange}
      theme={scheme}
      height={props.height ?? '560px'}
      // Tab must leave the editor: a keyboard user would otherwise never get out of it.
      indentWithTab={false}
      readOnly={props.readOnly ?? false}
      extensions={extensions}
    />
  );
}

const liquidMatcher = new MatchDecorator({
  regexp: /\{\{.*?\}\}|\{%.*?%\}/g,
  decoration: Decoration.mark({ class: 'cm-liquid' }),
});

const liquid = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = liquidMatcher.createDeco(view);
    }
    update(update: ViewUpdate) {
      this.decorations = liquidMatcher.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

const looks = EditorView.theme({
  '&': { fontSize: '13px', border: '1px solid var(--mantine-color-default-border)' },
  '&.cm-focused': { outline: '2px solid var(--mantine-primary-color-filled)', outlineOffset: '1px' },
  '.cm-liquid': {
    backgroundColor: 'light-dark(#e7f5ff, #1b3a57)',
    borderRadius: '3px',
  },
  '.cm-liquid, .cm-liquid *': { color: 'light-dark(#0b5394, #a5d8ff) !important' },
  '.cm-problem': { backgroundColor: 'light-dark(#fff0f0, #4a1f1f)' },
});

function markedLines(lines: readonly number[]): Extension {
  return EditorView.decorations.compute(['doc'], (state) => {
    const builder = new RangeSetBuilder<Decoration>();
    const wanted = [...new Set(lines)].filter((line) => line >= 1 && line <= state.doc.lines).sort((a, b) => a - b);
    for (const line of wanted) {
      const { from } = state.doc.line(line);
      builder.add(from, from, Decoration.line({ class: 'cm-problem' }));
    }
    return builder.finish();
  });
}
