import {
  Button,
  Group,
  NumberInput,
  PasswordInput,
  SegmentedControl,
  SimpleGrid,
  Stack,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useForm, type UseFormReturnType } from '@mantine/form';
import { useState } from 'react';
import type { Account, ProviderKind } from '../../../../contract/providers.ts';
import { useCan } from '../../../shell/me.ts';
import { ProblemAlert, Section, UnsavedGuard, useSubmit } from '../../../ui/index.ts';
import { limitKeys, valuesOf, type AccountValues, type FormKind, type LimitKey } from './account-values.ts';
import { fieldsOf } from './fields.rules.ts';
import { SettingsFields } from './settings-fields.tsx';

type Form = UseFormReturnType<AccountValues>;

/** The form of one account, new or stored, of any kind: SMTP has its own, the others theirs from their schemas. */
export function AccountForm(props: {
  provider: ProviderKind;
  account?: Account;
  saveLabel: string;
  onSave: (kind: FormKind, values: AccountValues) => Promise<void>;
}) {
  const { provider } = props;
  const mayWrite = useCan()('providers:write');
  const isSmtp = provider.kind === 'smtp';
  const [kind] = useState<FormKind>(() => ({
    kind: provider.kind,
    channel: provider.channel,
    fields: [...fieldsOf(provider.settings, false), ...fieldsOf(provider.secrets, true)],
  }));
  const form = useForm<AccountValues>({
    initialValues: valuesOf(props.account, kind.fields),
    validate: {
      name: (value) => (value.trim() === '' ? 'Name the account' : null),
      settings: { host: (value) => (isSmtp && value.trim() === '' ? 'Enter the host name of the server' : null) },
    },
  });
  const { submit, busy, problem } = useSubmit(form, async (values) => {
    await props.onSave(kind, values);
    form.resetDirty();
  });
  return (
    <form onSubmit={submit} noValidate>
      <UnsavedGuard when={form.isDirty() && !busy} />
      <fieldset disabled={!mayWrite} style={{ border: 0, padding: 0, margin: 0, minInlineSize: 0 }}>
        <Stack gap="lg">
          <ProblemAlert problem={problem} />
          <Identity form={form} isMail={provider.channel === 'email'} />
          {isSmtp && <Server form={form} account={props.account} />}
          {isSmtp && <Dkim form={form} account={props.account} />}
          {!isSmtp && (
            <SettingsFields
              form={form}
              title={provider.title}
              fields={kind.fields}
              secretsSet={props.account?.secretsSet ?? []}
            />
          )}
          <Limits form={form} />
          {mayWrite && (
            <Group justify="flex-end">
              <Button type="submit" loading={busy} disabled={props.account !== undefined && !form.isDirty()}>
                {props.saveLabel}
              </Button>
            </Group>
          )}
        </Stack>
      </fieldset>
    </form>
  );
}

function Identity({ form, isMail }: { form: Form; isMail: boolean }) {
  const name = (
    <TextInput
      label="Name of the account"
      description="For your team; recipients do not see it"
      {...form.getInputProps('name')}
    />
  );
  if (!isMail) return <Section title="Account">{name}</Section>;
  return (
    <Section title="Sender" description="Who the mail is from, unless a campaign says otherwise.">
      <Stack>
        {name}
        <SimpleGrid cols={{ base: 1, sm: 3 }}>
          <TextInput label="From: name" placeholder="Acme" {...form.getInputProps('sender.from.name')} />
          <TextInput
            label="From: e-mail"
            type="email"
            placeholder="news@example.com"
            {...form.getInputProps('sender.from.email')}
          />
          <TextInput
            label="Reply to"
            type="email"
            placeholder="Same as From"
            {...form.getInputProps('sender.replyTo')}
          />
        </SimpleGrid>
      </Stack>
    </Section>
  );
}

const usualPorts = { tls: 465, starttls: 587, opportunistic: 25, none: 25 } as const;

function Server({ form, account }: { form: Form; account: Account | undefined }) {
  const { security, port } = form.getValues().settings;
  const choose = (next: string) => {
    const isUsual = Number(port) === usualPorts[security];
    form.setFieldValue('settings.security', next as typeof security);
    if (isUsual) form.setFieldValue('settings.port', usualPorts[next as typeof security]);
  };
  return (
    <Section title="Server" description="From your mail provider’s instructions for sending by SMTP.">
      <Stack>
        <SimpleGrid cols={{ base: 1, sm: 3 }}>
          <TextInput label="Host" placeholder="smtp.example.com" {...form.getInputProps('settings.host')} />
          <NumberInput
            label="Port"
            min={1}
            max={65_535}
            allowDecimal={false}
            {...form.getInputProps('settings.port')}
          />
          <NumberInput
            label="Connections at once"
            min={1}
            max={100}
            allowDecimal={false}
            {...form.getInputProps('settings.maxConnections')}
          />
        </SimpleGrid>
        <div role="group" aria-labelledby="security-label">
          <Text size="sm" fw={500} id="security-label" mb={4}>
            Encryption
          </Text>
          <SegmentedControl
            value={security}
            onChange={choose}
            data={[
              { value: 'starttls', label: 'STARTTLS' },
              { value: 'tls', label: 'TLS' },
              { value: 'opportunistic', label: 'If offered' },
              { value: 'none', label: 'None' },
            ]}
          />
          {security === 'none' && (
            <Text size="sm" mt={4}>
              Password and mail travel readable. Only for a server on this machine or in your own network.
            </Text>
          )}
        </div>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <TextInput label="User name" autoComplete="off" {...form.getInputProps('settings.username')} />
          <PasswordInput
            label="Password"
            autoComplete="new-password"
            placeholder={account?.secretsSet.includes('password') ? 'Stored; type to replace it' : ''}
            visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
            {...form.getInputProps('settings.password')}
          />
        </SimpleGrid>
      </Stack>
    </Section>
  );
}

function Dkim({ form, account }: { form: Form; account: Account | undefined }) {
  const isStored = account?.secretsSet.includes('dkimPrivateKey') ?? false;
  return (
    <Section
      title="DKIM signature"
      description="Proves that the mail is yours. Leave it empty when your provider signs for you."
    >
      <Stack>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <TextInput label="Domain" placeholder="example.com" {...form.getInputProps('settings.dkim.domain')} />
          <TextInput label="Selector" placeholder="parley" {...form.getInputProps('settings.dkim.selector')} />
        </SimpleGrid>
        <Textarea
          label="Private key"
          placeholder={isStored ? 'Stored; paste another to replace it' : '-----BEGIN PRIVATE KEY-----'}
          autosize
          minRows={3}
          maxRows={10}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          {...form.getInputProps('settings.dkimPrivateKey')}
        />
      </Stack>
    </Section>
  );
}

const limitLabels: Readonly<Record<LimitKey, string>> = {
  perSecond: 'Per second',
  perMinute: 'Per minute',
  perHour: 'Per hour',
  perDay: 'Per day',
  perRecipientPerDay: 'Per person and day',
};

function Limits({ form }: { form: Form }) {
  return (
    <Section title="Limits" description="How many messages may go out through this account. Empty means no limit.">
      <SimpleGrid cols={{ base: 2, sm: 3, xl: 5 }} style={{ alignItems: 'end' }}>
        {limitKeys.map((key) => (
          <NumberInput
            key={key}
            label={limitLabels[key]}
            placeholder="No limit"
            min={1}
            max={1_000_000_000}
            allowDecimal={false}
            thousandSeparator=" "
            {...form.getInputProps(`limits.${key}`)}
          />
        ))}
      </SimpleGrid>
    </Section>
  );
}
