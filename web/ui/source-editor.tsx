import { html } from '@codemirror/lang-html';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { RangeSetBuilder, type Extension } from '@codemirror/state';
import {
  Decoration,
  EditorView,
  MatchDecorator,
  ViewPlugin,
  type DecorationSet,
  type ViewUpdate,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
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
  const editor = useRef<ReactCodeMirrorRef>(null);
  const { label, language, marked, jump } = props;
  const extensions = useMemo(
    () => [
      ...(language === 'markup' ? [html({ autoCloseTags: true })] : []),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
      liquid,
      looks,
      colours,
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
      theme="none"
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

/** Both schemes at once: the page says which is on. Every pair of colours is AA, also on the marked and the active line. */
const looks = EditorView.theme({
  '&': {
    fontSize: '13px',
    color: 'var(--mantine-color-text)',
    backgroundColor: 'light-dark(#ffffff, #1b1e23)',
    border: '1px solid var(--mantine-color-default-border)',
    borderRadius: 'var(--mantine-radius-sm)',
  },
  '&.cm-focused': { outline: '2px solid var(--mantine-primary-color-filled)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--mantine-color-text)' },
  '.cm-cursor': { borderLeftColor: 'var(--mantine-color-text)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'light-dark(#cfe8f1, #24505f)',
  },
  '.cm-gutters': {
    color: 'light-dark(#5a636b, #a6adb4)',
    backgroundColor: 'light-dark(#f4f6f8, #23272d)',
    borderRight: '1px solid var(--mantine-color-default-border)',
  },
  '.cm-activeLine': { backgroundColor: 'light-dark(#f3f8fa, #23272d)' },
  '.cm-activeLineGutter': { color: 'var(--mantine-color-text)', backgroundColor: 'light-dark(#e3eef2, #2c3138)' },
  '.cm-liquid': { backgroundColor: 'light-dark(#e3f0fb, #1b3550)', borderRadius: '3px' },
  '.cm-liquid, .cm-liquid *': { color: 'light-dark(#0b4a85, #b9dcff) !important' },
  '.cm-problem': { backgroundColor: 'light-dark(#fdeeee, #43201f)' },
});

const colours = syntaxHighlighting(
  HighlightStyle.define([
    { tag: tags.tagName, color: 'light-dark(#0a5c3e, #7fd8ae)' },
    { tag: [tags.attributeName, tags.propertyName], color: 'light-dark(#7a3e00, #f0c08a)' },
    { tag: [tags.attributeValue, tags.string], color: 'light-dark(#8a1f3d, #ffb3c0)' },
    { tag: [tags.comment, tags.meta], color: 'light-dark(#5a636b, #a6adb4)' },
    { tag: [tags.keyword, tags.number, tags.bool, tags.atom], color: 'light-dark(#4b2fa0, #c9b8ff)' },
    { tag: tags.angleBracket, color: 'light-dark(#4a535b, #b6bdc4)' },
    { tag: tags.invalid, color: 'light-dark(#a51d1d, #ff9d9d)' },
  ]),
);

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
