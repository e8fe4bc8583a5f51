import { Card, Group, Select, TextInput } from '@mantine/core';
import { categories, type Category } from './draft.rules.ts';

interface Named {
  readonly name: string;
  readonly category: Category;
  readonly locale: string;
}

/** What a template is called, what kind of message it is, and in which language. */
export function SettingsCard<Draft extends Named>(props: {
  draft: Draft;
  onChange: (draft: Draft) => void;
  isEditable: boolean;
}) {
  const { draft } = props;
  const set = (patch: Partial<Named>) => props.onChange({ ...draft, ...patch });
  const kind = categories.find((candidate) => candidate.value === draft.category);
  return (
    <Card withBorder>
      <Group align="flex-start" grow preventGrowOverflow={false}>
        <TextInput
          label="Name"
          description="Only your team sees it"
          required
          miw={220}
          maxLength={100}
          readOnly={!props.isEditable}
          value={draft.name}
          onChange={(event) => set({ name: event.currentTarget.value })}
        />
        <Select
          label="Kind"
          description={kind?.meaning}
          miw={220}
          allowDeselect={false}
          readOnly={!props.isEditable}
          data={categories.map(({ value, label }) => ({ value, label }))}
          value={draft.category}
          onChange={(category) => set({ category: category as Category })}
        />
        <TextInput
          label="Language"
          description="en, de-AT … decides the words of the unsubscribe link"
          required
          miw={160}
          maxLength={35}
          readOnly={!props.isEditable}
          value={draft.locale}
          onChange={(event) => set({ locale: event.currentTarget.value })}
        />
      </Group>
    </Card>
  );
}
