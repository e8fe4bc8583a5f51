import { ActionIcon, Button, Group, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { ContentSource, WhatsAppTemplateContent } from '../../../contract/template-content.ts';
import { contentOfKind, type WhatsAppKind } from './content.rules.ts';
import { errorIn, type FieldsProps } from './fields.ts';

type Source = Extract<ContentSource, { channel: 'whatsapp' }>;
type Of<Kind extends WhatsAppKind> = Extract<WhatsAppTemplateContent, { kind: Kind }>;

const kinds: readonly { value: WhatsAppKind; label: string }[] = [
  { value: 'template', label: 'Approved template: at any time' },
  { value: 'text', label: 'Text' },
  { value: 'image', label: 'Picture' },
  { value: 'video', label: 'Video' },
  { value: 'audio', label: 'Audio' },
  { value: 'document', label: 'Document' },
  { value: 'sticker', label: 'Sticker' },
  { value: 'buttons', label: 'Text with buttons' },
  { value: 'list', label: 'Text with a list' },
];

interface PartProps<Content> {
  readonly content: Content;
  readonly set: (content: WhatsAppTemplateContent) => void;
  readonly isEditable: boolean;
  readonly errorAt: (where: string) => string | undefined;
}

/** A template that Meta approved, with its values; or what may be said freely within 24 hours of an answer. */
export function WhatsAppFields({ source, onChange, isEditable, problems }: FieldsProps<Source>) {
  const { content } = source;
  const set = (next: WhatsAppTemplateContent) => onChange({ ...source, content: next });
  const parts = { set, isEditable, errorAt: (where: string) => errorIn(problems, `content/${where}`) };
  return (
    <>
      <Select
        label="What it is"
        description={
          content.kind === 'template' ? undefined : 'Goes only to people who wrote to you within the last 24 hours'
        }
        allowDeselect={false}
        readOnly={!isEditable}
        data={[...kinds]}
        value={content.kind}
        error={errorIn(problems, 'content')}
        onChange={(kind) => kind !== null && set(contentOfKind(kind, content))}
      />
      {content.kind === 'template' && <TemplateFields {...parts} content={content} />}
      {content.kind === 'text' && <Body {...parts} content={content} />}
      {(content.kind === 'buttons' || content.kind === 'list') && <Framed {...parts} content={content} />}
      {content.kind === 'buttons' && <ButtonFields {...parts} content={content} />}
      {content.kind === 'list' && <ListFields {...parts} content={content} />}
      {'url' in content && <MediaFields {...parts} content={content} />}
    </>
  );
}

function Body({ content, set, isEditable, errorAt }: PartProps<Of<'text'> | Of<'buttons'> | Of<'list'>>) {
  return (
    <Textarea
      label="Text"
      required
      autosize
      minRows={3}
      maxRows={12}
      maxLength={4096}
      readOnly={!isEditable}
      value={content.body}
      error={errorAt('body')}
      onChange={(event) => set({ ...content, body: event.currentTarget.value })}
    />
  );
}

/** A copy without the field, or with it: an empty one is none. */
function withText<Content extends object>(content: Content, key: string, value: string): Content {
  const rest = Object.fromEntries(Object.entries(content).filter(([name]) => name !== key));
  return { ...rest, ...(value === '' ? {} : { [key]: value }) } as Content;
}

function Framed(props: PartProps<Of<'buttons'> | Of<'list'>>) {
  const { content, set, isEditable } = props;
  return (
    <>
      <TextInput
        label="Heading"
        maxLength={60}
        readOnly={!isEditable}
        value={content.header ?? ''}
        onChange={(event) => set(withText(content, 'header', event.currentTarget.value))}
      />
      <Body {...props} />
      <TextInput
        label="Small print"
        maxLength={60}
        readOnly={!isEditable}
        value={content.footer ?? ''}
        onChange={(event) => set(withText(content, 'footer', event.currentTarget.value))}
      />
    </>
  );
}

/** A list of things of which some can be added and each taken away. */
function Several(props: {
  title: string;
  count: number;
  most: number;
  isEditable: boolean;
  row: (at: number) => ReactNode;
  onAdd: () => void;
  onRemove: (at: number) => void;
}) {
  return (
    <div role="group" aria-label={props.title}>
      <Text size="sm" fw={500} mb={4}>
        {props.title}
      </Text>
      <Stack gap="xs">
        {Array.from({ length: props.count }, (_, at) => (
          <Group key={at} gap="xs" wrap="nowrap" align="flex-start">
            {props.row(at)}
            {props.isEditable && (
              <ActionIcon
                variant="default"
                size={36}
                aria-label={`Remove ${props.title} ${at + 1}`}
                onClick={() => props.onRemove(at)}
              >
                <IconX size={16} aria-hidden />
              </ActionIcon>
            )}
          </Group>
        ))}
        {props.isEditable && props.count < props.most && (
          <Group>
            <Button size="xs" variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={props.onAdd}>
              Add
            </Button>
          </Group>
        )}
      </Stack>
    </div>
  );
}

const grow = { flex: 1 } as const;

function ButtonFields({ content, set, isEditable }: PartProps<Of<'buttons'>>) {
  const { buttons } = content;
  return (
    <Several
      title="Buttons"
      count={buttons.length}
      most={3}
      isEditable={isEditable}
      onAdd={() => set({ ...content, buttons: [...buttons, { id: `button-${buttons.length + 1}`, title: 'More' }] })}
      onRemove={(at) => buttons.length > 1 && set({ ...content, buttons: buttons.toSpliced(at, 1) })}
      row={(at) => (
        <TextInput
          aria-label={`Button ${at + 1}`}
          style={grow}
          maxLength={20}
          value={buttons[at]?.title ?? ''}
          onChange={(event) => {
            const title = event.currentTarget.value;
            set({ ...content, buttons: buttons.map((one, place) => (place === at ? { ...one, title } : one)) });
          }}
        />
      )}
    />
  );
}

function ListFields({ content, set, isEditable }: PartProps<Of<'list'>>) {
  const section = content.sections[0] ?? { title: '', rows: [] };
  const { rows } = section;
  const setRows = (next: typeof rows) =>
    set({ ...content, sections: [{ ...section, rows: next }, ...content.sections.slice(1)] });
  return (
    <>
      <TextInput
        label="Button that opens the list"
        maxLength={20}
        readOnly={!isEditable}
        value={content.label}
        onChange={(event) => set({ ...content, label: event.currentTarget.value })}
      />
      <Several
        title="Choices"
        count={rows.length}
        most={10}
        isEditable={isEditable}
        onAdd={() => setRows([...rows, { id: `choice-${rows.length + 1}`, title: 'More' }])}
        onRemove={(at) => rows.length > 1 && setRows(rows.toSpliced(at, 1))}
        row={(at) => (
          <TextInput
            aria-label={`Choice ${at + 1}`}
            style={grow}
            maxLength={24}
            value={rows[at]?.title ?? ''}
            onChange={(event) => {
              const title = event.currentTarget.value;
              setRows(rows.map((one, place) => (place === at ? { ...one, title } : one)));
            }}
          />
        )}
      />
    </>
  );
}

function MediaFields({
  content,
  set,
  isEditable,
  errorAt,
}: PartProps<Extract<WhatsAppTemplateContent, { url: string }>>) {
  const takesCaption = content.kind !== 'audio' && content.kind !== 'sticker';
  return (
    <>
      <TextInput
        label="Public web address of the file"
        required
        readOnly={!isEditable}
        value={content.url}
        error={errorAt('url')}
        onChange={(event) => set({ ...content, url: event.currentTarget.value })}
      />
      {takesCaption && (
        <Textarea
          label="Caption"
          autosize
          maxLength={1024}
          readOnly={!isEditable}
          value={content.caption ?? ''}
          onChange={(event) => set(withText(content, 'caption', event.currentTarget.value))}
        />
      )}
    </>
  );
}

function TemplateFields({ content, set, isEditable, errorAt }: PartProps<Of<'template'>>) {
  const buttons = content.buttons ?? [];
  const { buttons: _, ...bare } = content;
  const setButtons = (next: typeof buttons) => set(next.length === 0 ? bare : { ...content, buttons: next });
  return (
    <>
      <Group grow align="flex-start">
        <TextInput
          label="Name at Meta"
          placeholder="order_update"
          required
          readOnly={!isEditable}
          value={content.name}
          onChange={(event) => set({ ...content, name: event.currentTarget.value })}
        />
        <TextInput
          label="Language at Meta"
          placeholder="en_US"
          required
          readOnly={!isEditable}
          value={content.language}
          onChange={(event) => set({ ...content, language: event.currentTarget.value })}
        />
      </Group>
      <TextInput
        label="Content SID at Twilio"
        description="Of the same template, for accounts there"
        placeholder="HX…"
        readOnly={!isEditable}
        value={content.contentSid ?? ''}
        onChange={(event) => set(withText(content, 'contentSid', event.currentTarget.value.trim()))}
      />
      <HeaderFields content={content} set={set} isEditable={isEditable} errorAt={errorAt} />
      <Several
        title="Values of {{1}}, {{2}}, …"
        count={content.body.length}
        most={50}
        isEditable={isEditable}
        onAdd={() => set({ ...content, body: [...content.body, ''] })}
        onRemove={(at) => set({ ...content, body: content.body.toSpliced(at, 1) })}
        row={(at) => (
          <TextInput
            aria-label={`Value ${at + 1}`}
            placeholder={`{{${at + 1}}}: {{ contact.first_name }}`}
            style={grow}
            readOnly={!isEditable}
            value={content.body[at] ?? ''}
            error={errorAt(`body/${at}`)}
            onChange={(event) => set({ ...content, body: content.body.with(at, event.currentTarget.value) })}
          />
        )}
      />
      <Several
        title="Values of its buttons"
        count={buttons.length}
        most={10}
        isEditable={isEditable}
        onAdd={() => setButtons([...buttons, { index: buttons.length, kind: 'url', value: '' }])}
        onRemove={(at) => setButtons(buttons.toSpliced(at, 1))}
        row={(at) => {
          const one = buttons[at] ?? { index: at, kind: 'url' as const, value: '' };
          return (
            <>
              <Select
                aria-label={`Kind of button ${at + 1}`}
                allowDeselect={false}
                w={170}
                readOnly={!isEditable}
                data={[
                  { value: 'url', label: 'End of its link' },
                  { value: 'quick-reply', label: 'Quick reply' },
                  { value: 'copy-code', label: 'Code to copy' },
                ]}
                value={one.kind}
                onChange={(kind) => kind !== null && setButtons(buttons.with(at, { ...one, kind }))}
              />
              <TextInput
                aria-label={`Value of button ${at + 1}`}
                style={grow}
                readOnly={!isEditable}
                value={one.value}
                error={errorAt(`buttons/${at}/value`)}
                onChange={(event) => setButtons(buttons.with(at, { ...one, value: event.currentTarget.value }))}
              />
            </>
          );
        }}
      />
    </>
  );
}

function HeaderFields({ content, set, isEditable, errorAt }: PartProps<Of<'template'>>) {
  const { header, ...bare } = content;
  const value = header === undefined ? '' : header.kind === 'text' ? (header.values[0] ?? '') : header.url;
  const write = (kind: string, text: string) => {
    if (kind === 'text') set({ ...bare, header: { kind, values: text === '' ? [] : [text] } });
    else if (kind === 'image' || kind === 'video' || kind === 'document') set({ ...bare, header: { kind, url: text } });
    else set(bare);
  };
  return (
    <Group align="flex-start" gap="xs">
      <Select
        label="Header"
        allowDeselect={false}
        w={170}
        readOnly={!isEditable}
        data={[
          { value: 'none', label: 'None, or fixed' },
          { value: 'text', label: 'Text with a value' },
          { value: 'image', label: 'Picture' },
          { value: 'video', label: 'Video' },
          { value: 'document', label: 'Document' },
        ]}
        value={header?.kind ?? 'none'}
        onChange={(kind) => write(kind ?? 'none', value)}
      />
      {header !== undefined && (
        <TextInput
          label={header.kind === 'text' ? 'Its value' : 'Public web address'}
          style={grow}
          readOnly={!isEditable}
          value={value}
          error={errorAt(header.kind === 'text' ? 'header/values/0' : 'header/url')}
          onChange={(event) => write(header.kind, event.currentTarget.value)}
        />
      )}
    </Group>
  );
}
