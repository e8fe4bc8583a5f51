import { Button, Checkbox, Fieldset, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { permissions, type Permission } from '../../contract/permissions.ts';

const nouns: Readonly<Record<string, string>> = {
  contacts: 'Contacts',
  attributes: 'Attributes',
  consent: 'Consent',
  topics: 'Topics',
  templates: 'Templates',
  campaigns: 'Campaigns',
  messages: 'Messages',
  providers: 'Accounts',
  limits: 'Sending limits',
  sandbox: 'Sandbox',
  audit: 'Audit log',
  team: 'Team',
  keys: 'API keys',
  settings: 'Workspace',
};
const verbs: Readonly<Record<string, string>> = {
  read: 'see',
  write: 'change',
  import: 'import',
  export: 'export',
  reveal: 'reveal addresses',
  erase: 'erase',
  send: 'send',
};

const groups = Map.groupBy(permissions, (permission) => permission.split(':')[0] ?? '');

/** "Contacts: reveal addresses" */
export function permissionInWords(permission: Permission): string {
  const [noun = '', verb = ''] = permission.split(':');
  return `${nouns[noun] ?? noun}: ${verbs[verb] ?? verb}`;
}

/** Ticks permissions, by noun. What the person does not have themselves cannot be given away. */
export function PermissionPicker(props: {
  value: readonly Permission[];
  onChange: (value: Permission[]) => void;
  mayGive: (permission: Permission) => boolean;
  error?: string | undefined;
}) {
  const chosen = new Set(props.value);
  const givable = permissions.filter(props.mayGive);
  const change = (permission: Permission, isOn: boolean) => {
    const next = new Set(chosen);
    if (isOn) next.add(permission);
    else next.delete(permission);
    props.onChange(permissions.filter((one) => next.has(one)));
  };
  return (
    <Fieldset legend="Permissions">
      <Stack gap="sm">
        <Group gap="xs">
          <Button size="compact-sm" variant="default" onClick={() => props.onChange([...givable])}>
            All
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => props.onChange(givable.filter((permission) => permission.endsWith(':read')))}
          >
            Only see
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => props.onChange([])}>
            None
          </Button>
        </Group>
        {props.error && (
          <Text size="sm" c="var(--mantine-color-error)" role="alert">
            {props.error}
          </Text>
        )}
        <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm">
          {[...groups].map(([noun, group]) => (
            <div key={noun} role="group" aria-label={nouns[noun] ?? noun}>
              <Text size="sm" fw={600}>
                {nouns[noun] ?? noun}
              </Text>
              <Group gap="md">
                {group.map((permission) => (
                  <Checkbox
                    key={permission}
                    label={verbs[permission.split(':')[1] ?? ''] ?? permission}
                    checked={chosen.has(permission)}
                    disabled={!props.mayGive(permission)}
                    onChange={(event) => change(permission, event.currentTarget.checked)}
                    size="sm"
                  />
                ))}
              </Group>
            </div>
          ))}
        </SimpleGrid>
      </Stack>
    </Fieldset>
  );
}
