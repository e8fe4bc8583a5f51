import { Button, Group, Select, SimpleGrid, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import type { Me } from '../../../../contract/auth.ts';
import { api } from '../../../api.ts';
import { refresh } from '../../../query.ts';
import { createFormats, ProblemAlert, Section, tell, UnsavedGuard, useSubmit } from '../../../ui/index.ts';

const zones = Intl.supportedValuesOf('timeZone');
/** How numbers and dates are written; the dashboard's own words are English. */
const locales = [
  'en-GB',
  'en-US',
  'de-DE',
  'de-CH',
  'fr-FR',
  'es-ES',
  'it-IT',
  'nl-NL',
  'pl-PL',
  'pt-BR',
  'sv-SE',
  'tr-TR',
  'ar-EG',
  'hi-IN',
  'ja-JP',
  'zh-CN',
];

function choiceOfLocale(tag: string) {
  const name = new Intl.DisplayNames('en', { type: 'language' }).of(tag) ?? tag;
  return { value: tag, label: `${name} (${new Intl.NumberFormat(tag).format(1234.5)})` };
}

export function AboutYou({ user }: { user: NonNullable<Me['user']> }) {
  const form = useForm({
    initialValues: { name: user.name, timeZone: user.timeZone, locale: user.locale },
    validate: { name: (value) => (value.trim() === '' ? 'Enter your name' : null) },
  });
  const { submit, busy, problem } = useSubmit(form, async (values) => {
    await api('PATCH /me', { body: values });
    await refresh('me');
    form.resetDirty(values);
    tell.done('Your profile is saved.');
  });
  const { timeZone, locale } = form.getValues();
  const localeChoices = locale !== null && !locales.includes(locale) ? [...locales, locale] : locales;
  const formats = createFormats(locale, timeZone);
  return (
    <Section title="About you" description={`You sign in as ${user.email}, with the role ${user.role}.`}>
      <UnsavedGuard when={form.isDirty()} />
      <form onSubmit={submit} noValidate>
        <ProblemAlert problem={problem} />
        <SimpleGrid cols={{ base: 1, sm: 3 }}>
          <TextInput label="Name" autoComplete="name" {...form.getInputProps('name')} />
          <Select
            label="Time zone"
            placeholder="As in your browser"
            data={zones}
            searchable
            clearable
            limit={100}
            clearButtonProps={{ 'aria-label': 'Use the time zone of your browser' }}
            {...form.getInputProps('timeZone')}
          />
          <Select
            label="Numbers and dates"
            placeholder="As in your browser"
            data={localeChoices.map(choiceOfLocale)}
            clearable
            clearButtonProps={{ 'aria-label': 'Write numbers as your browser does' }}
            {...form.getInputProps('locale')}
          />
        </SimpleGrid>
        <Group justify="space-between" mt="md">
          <Text size="sm" c="dimmed">
            Now it is {formats.short(new Date().toISOString())} ({formats.zone}).
          </Text>
          <Button type="submit" loading={busy} disabled={!form.isDirty()}>
            Save profile
          </Button>
        </Group>
      </form>
    </Section>
  );
}
