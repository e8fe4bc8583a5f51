import { Tabs } from '@mantine/core';
import { useState } from 'react';
import { useCan } from '../../shell/me.ts';
import { ChainCheck, PageHeader, useUrlState } from '../../ui/index.ts';
import { EditTopic } from '../settings/topics/edit-topic.tsx';
import { TopicList } from '../settings/topics/topic-list.tsx';
import { LookUp } from './look-up.tsx';
import { Suppressions } from './suppressions.tsx';

/** May we write to them: what can be agreed to, what one address said, and who is never written to. */
export function Consent() {
  const can = useCan();
  const url = useUrlState();
  const [isNewTopic, setNewTopic] = useState(false);
  const tab = url.values['tab'] ?? 'topics';
  return (
    <>
      <PageHeader
        title="Topics & consent"
        description="Nobody is written to who did not agree. What people said is kept in a ledger that only grows, each entry chained to the one before."
        actions={<ChainCheck of="GET /compliance/verify" />}
      />
      {isNewTopic && <EditTopic topic={undefined} onClose={() => setNewTopic(false)} />}
      <Tabs
        value={tab}
        onChange={(next) => url.set({ tab: next ?? undefined, archived: undefined, reason: undefined })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          {can('topics:read') && <Tabs.Tab value="topics">Topics</Tabs.Tab>}
          <Tabs.Tab value="look-up">Look up an address</Tabs.Tab>
          <Tabs.Tab value="suppressions">Suppression list</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="topics">
          <TopicList url={url} onNew={() => setNewTopic(true)} />
        </Tabs.Panel>
        <Tabs.Panel value="look-up">
          <LookUp />
        </Tabs.Panel>
        <Tabs.Panel value="suppressions">
          <Suppressions url={url} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
