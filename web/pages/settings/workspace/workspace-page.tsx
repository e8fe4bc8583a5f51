import { Button, Group, Radio, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import type { WorkspaceSettings } from '../../../../contract/workspace.ts';
import { api } from '../../../api.ts';
import { ask, refresh } from '../../../query.ts';
import { RouteLoading } from '../../../shell/fallbacks.tsx';
import { useCan } from '../../../shell/me.ts';
import { CopyText, PageHeader, ProblemAlert, Section, tell, UnsavedGuard, useSubmit } from '../../../ui/index.ts';
import { countries } from '../../../ui/countries.ts';

export function Workspace() {
  const settings = useQuery(ask('GET /settings/workspace'));
  if (settings.isPending) return <RouteLoading />;
  return (
    <>
      <PageHeader title="Workspace" description="What holds for everything that is sent from here." />
      <ProblemAlert problem={settings.error} onRetry={() => void settings.refetch()} />
      {settings.data && <WorkspaceForm key={settings.data.revision} settings={settings.data} />}
    </>
  );
}

const policies = [
  {
    value: 'hold',
    label: 'Ask a person',
    description: 'It waits under Messages until somebody decides. Nothing goes out twice. The safe choice.',
  },
  {
    value: 'resend',
    label: 'Send again',
    description: 'Nobody is missed, but a few people may get the same mail twice.',
  },
  { value: 'give-up', label: 'Give up', description: 'Nobody gets anything twice, but a few people may be missed.' },
] as const;

function WorkspaceForm({ settings }: { settings: WorkspaceSettings }) {
  const can = useCan();
  const mayWrite = can('settings:write');
  const form = useForm({
    initialValues: {
      name: settings.name,
      postalAddress: settings.postalAddress ?? '',
      defaultCountry: settings.defaultCountry,
      unknownPolicy: settings.unknownPolicy,
    },
    validate: { name: (value) => (value.trim() === '' ? 'Name your company or team' : null) },
  });
  const { submit, busy, problem } = useSubmit(form, async (values) => {
    const body = { ...values, postalAddress: values.postalAddress.trim() || null };
    await api('PATCH /settings/workspace', { body, ifMatch: settings.revision });
    form.resetDirty();
    await refresh('settings', 'me', 'dashboard');
    tell.done('The workspace is saved.');
  });
  return (
    <form onSubmit={submit} noValidate>
      <UnsavedGuard when={form.isDirty()} />
      <fieldset disabled={!mayWrite} style={{ border: 0, padding: 0, margin: 0, minInlineSize: 0 }}>
        <Stack gap="lg" maw={820}>
          <ProblemAlert problem={problem} />
          <Section title="Who you are">
            <Stack>
              <TextInput
                label="Name"
                description="Templates can use it as {{ workspace.name }}"
                {...form.getInputProps('name')}
              />
              <Textarea
                label="Postal address"
                description="At the foot of marketing mail, as {{ workspace.postal_address }}. The law in many countries asks for it."
                autosize
                minRows={3}
                maxRows={8}
                {...form.getInputProps('postalAddress')}
              />
              <Select
                label="Default country"
                description="For phone numbers written without a country code"
                placeholder="None"
                data={[...countries()]}
                searchable
                clearable
                clearButtonProps={{ 'aria-label': 'No default country' }}
                maw={360}
                {...form.getInputProps('defaultCountry')}
              />
            </Stack>
          </Section>
          <Section
            title="When nobody knows whether a message went out"
            description="A connection can break in the very moment of handing a message over. Parley never guesses: the message is marked as in doubt."
          >
            <Radio.Group label="What happens to a message in doubt" {...form.getInputProps('unknownPolicy')}>
              <Stack mt="xs" gap="sm">
                {policies.map((policy) => (
                  <Radio key={policy.value} {...policy} />
                ))}
              </Stack>
            </Radio.Group>
          </Section>
          <Section
            title="For developers"
            description="The id of this workspace, as answers of the API and logs name it."
          >
            <CopyText value={settings.id} label="the workspace id" />
          </Section>
          {mayWrite && (
            <Group justify="flex-end">
              <Button type="submit" loading={busy} disabled={!form.isDirty()}>
                Save workspace
              </Button>
            </Group>
          )}
        </Stack>
      </fieldset>
    </form>
  );
}
