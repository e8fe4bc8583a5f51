import { Box, Radio, Stack } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../../../api.ts';
import { refresh } from '../../../query.ts';
import { PageHeader, Section, tell } from '../../../ui/index.ts';
import { AccountForm } from './account-form.tsx';
import { creationOf, type FormKind } from './account-values.ts';

export function NewAccount() {
  const navigate = useNavigate();
  const [kind, setKind] = useState<FormKind>('smtp');
  const [key] = useState(() => crypto.randomUUID());
  return (
    <>
      <PageHeader
        title="New e-mail account"
        crumbs={[{ label: 'E-mail accounts', to: '/settings/accounts' }]}
        description="After saving you can test it, and choose when it is used."
      />
      <Box maw={900}>
        <Stack gap="lg">
          <Section title="Kind">
            <Radio.Group aria-label="Kind of account" value={kind} onChange={(next) => setKind(next)}>
              <Stack gap="sm">
                <Radio value="smtp" label="SMTP server" description="Your mail provider, or a server of your own." />
                <Radio
                  value="sandbox"
                  label="Sandbox"
                  description="Catches everything instead of sending it. For trying things out."
                />
              </Stack>
            </Radio.Group>
          </Section>
          <AccountForm
            key={kind}
            kind={kind}
            saveLabel="Save account"
            onSave={async (values) => {
              const made = await api('POST /providers', {
                body: creationOf(kind, values),
                idempotencyKey: `${key}-${kind}`,
              });
              await refresh('providers', 'rate-limits', 'dashboard');
              tell.done('The account is saved. Test it before you use it.');
              await navigate({ to: '/settings/accounts/$id', params: { id: made.id }, ignoreBlocker: true });
            }}
          />
        </Stack>
      </Box>
    </>
  );
}
