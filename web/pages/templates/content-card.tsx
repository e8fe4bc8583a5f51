import { Button, Card, Group, Menu, SegmentedControl, Stack, Switch, Tabs, Text, TextInput } from '@mantine/core';
import { IconBraces } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { ask } from '../../query.ts';
import { LazySourceEditor } from '../../ui/lazy-source-editor.tsx';
import type { Draft, Problem } from './draft.rules.ts';

interface ContentCardProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  readonly isEditable: boolean;
  readonly problems: readonly Problem[];
  readonly jump: { where: Problem['where']; line: number; nonce: number } | undefined;
}

/** Subject, preheader, and the source of the two parts of a mail. */
export function ContentCard(props: ContentCardProps) {
  const { draft, problems, jump } = props;
  const [tab, setTab] = useState<string>('markup');
  const [insert, setInsert] = useState<{ text: string; nonce: number }>();
  const set = (patch: Partial<Draft>) => props.onChange({ ...draft, ...patch });
  const [followed, setFollowed] = useState(jump);
  if (jump !== followed) {
    setFollowed(jump);
    setTab(jump?.where === 'text' ? 'text' : 'markup');
  }
  const errorIn = (where: Problem['where']) =>
    problems.find((problem) => problem.where === where && problem.severity === 'error')?.message;
  const marked = useMemo(() => {
    const linesIn = (isPart: (problem: Problem) => boolean) =>
      problems.filter(isPart).flatMap((problem) => (problem.line === null ? [] : [problem.line]));
    return {
      markup: linesIn((problem) => problem.where === 'mjml' || problem.where === 'html'),
      text: linesIn((problem) => problem.where === 'text'),
    };
  }, [problems]);
  return (
    <Card withBorder>
      <Stack gap="sm">
        <TextInput
          label="Subject"
          required
          maxLength={998}
          readOnly={!props.isEditable}
          value={draft.subject}
          error={errorIn('subject')}
          onChange={(event) => set({ subject: event.currentTarget.value })}
        />
        <TextInput
          label="Preview line"
          description="Shown after the subject in the inbox"
          maxLength={255}
          readOnly={!props.isEditable}
          value={draft.preheader}
          error={errorIn('preheader')}
          onChange={(event) => set({ preheader: event.currentTarget.value })}
        />
        <Tabs value={tab} onChange={(next) => setTab(next ?? 'markup')} keepMounted={false}>
          <Group justify="space-between" gap="xs" mb="xs">
            <Tabs.List>
              <Tabs.Tab value="markup">Design</Tabs.Tab>
              <Tabs.Tab value="text">Plain text</Tabs.Tab>
            </Tabs.List>
            {props.isEditable && <InsertMenu onInsert={(text) => setInsert({ text, nonce: Date.now() })} />}
          </Group>
          <Tabs.Panel value="markup">
            <MarkupPanel {...props} marked={marked.markup} insert={insert} set={set} />
          </Tabs.Panel>
          <Tabs.Panel value="text">
            <TextPanel {...props} marked={marked.text} insert={insert} set={set} />
          </Tabs.Panel>
        </Tabs>
      </Stack>
    </Card>
  );
}

interface PanelProps extends ContentCardProps {
  readonly marked: readonly number[];
  readonly insert: { text: string; nonce: number } | undefined;
  readonly set: (patch: Partial<Draft>) => void;
}

function MarkupPanel({ draft, isEditable, marked, jump, insert, set }: PanelProps) {
  const isHere = jump && (jump.where === 'mjml' || jump.where === 'html');
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <SegmentedControl
          size="xs"
          aria-label="Written in"
          disabled={!isEditable}
          data={[
            { value: 'mjml', label: 'MJML' },
            { value: 'html', label: 'HTML' },
          ]}
          value={draft.format}
          onChange={(format) => set({ format: format === 'html' ? 'html' : 'mjml' })}
        />
        <Text size="sm" c="dimmed">
          {draft.format === 'mjml' ? 'Becomes HTML that every mail program shows well' : 'Sent as you write it'}
        </Text>
      </Group>
      <LazySourceEditor
        label={draft.format === 'mjml' ? 'MJML source' : 'HTML source'}
        language="markup"
        value={draft.markup}
        onChange={(markup) => set({ markup })}
        readOnly={!isEditable}
        marked={marked}
        {...(isHere ? { jump } : {})}
        {...(insert ? { insert } : {})}
      />
    </Stack>
  );
}

function TextPanel({ draft, isEditable, marked, jump, insert, set }: PanelProps) {
  return (
    <Stack gap="xs">
      <Switch
        label="Write the plain text myself"
        description="Otherwise it is made from the design; the preview shows it under Plain text."
        disabled={!isEditable}
        checked={draft.hasOwnText}
        onChange={(event) => set({ hasOwnText: event.currentTarget.checked })}
      />
      {draft.hasOwnText && (
        <LazySourceEditor
          label="Plain text"
          language="text"
          height="420px"
          value={draft.text}
          onChange={(text) => set({ text })}
          readOnly={!isEditable}
          marked={marked}
          {...(jump?.where === 'text' ? { jump } : {})}
          {...(insert ? { insert } : {})}
        />
      )}
    </Stack>
  );
}

const always = [
  { label: 'E-mail address', text: '{{ contact.email }}' },
  { label: 'Unsubscribe link', text: '{{ unsubscribe_url }}' },
  { label: 'Preference page', text: '{{ preferences_url }}' },
  { label: 'Name of the workspace', text: '{{ workspace.name }}' },
  { label: 'Postal address', text: '{{ workspace.postal_address }}' },
];

/** What can be filled in, put in at the cursor. */
function InsertMenu({ onInsert }: { onInsert: (text: string) => void }) {
  const attributes = useQuery(ask('GET /attributes'));
  return (
    <Menu position="bottom-end" returnFocus={false}>
      <Menu.Target>
        <Button size="xs" variant="default" leftSection={<IconBraces size={14} aria-hidden />}>
          Insert a value
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: 'auto' }}>
        {(attributes.data?.data.length ?? 0) > 0 && <Menu.Label>Of the contact</Menu.Label>}
        {attributes.data?.data.map((attribute) => (
          <Menu.Item
            key={attribute.key}
            onClick={() => onInsert(`{{ contact.${attribute.key} | default: "" }}`)}
            rightSection={
              <Text size="xs" c="dimmed">
                {attribute.key}
              </Text>
            }
          >
            {attribute.label}
          </Menu.Item>
        ))}
        <Menu.Label>Always there</Menu.Label>
        {always.map((value) => (
          <Menu.Item key={value.text} onClick={() => onInsert(value.text)}>
            {value.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
