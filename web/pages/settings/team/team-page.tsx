import { Stack, Tabs } from '@mantine/core';
import { PageHeader, useUrlState } from '../../../ui/index.ts';
import { Invitations } from './invitations.tsx';
import { People } from './people.tsx';
import { Roles } from './roles.tsx';

/** Who is in, who is invited, and what each role may do. */
export function Team() {
  const url = useUrlState();
  const tab = url.values['tab'] ?? 'people';
  return (
    <>
      <PageHeader title="Team & roles" description="Who works here, and what each of them may see and do." />
      <Tabs value={tab} onChange={(next) => url.set({ tab: next ?? undefined })} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="people">People</Tabs.Tab>
          <Tabs.Tab value="invitations">Invitations</Tabs.Tab>
          <Tabs.Tab value="roles">Roles</Tabs.Tab>
        </Tabs.List>
        <Stack>
          <Tabs.Panel value="people">
            <People url={url} />
          </Tabs.Panel>
          <Tabs.Panel value="invitations">
            <Invitations url={url} />
          </Tabs.Panel>
          <Tabs.Panel value="roles">
            <Roles />
          </Tabs.Panel>
        </Stack>
      </Tabs>
    </>
  );
}
