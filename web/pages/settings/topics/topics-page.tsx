import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useCan } from '../../../shell/me.ts';
import { PageHeader, useUrlState } from '../../../ui/index.ts';
import { EditTopic } from './edit-topic.tsx';
import { TopicList } from './topic-list.tsx';

export function Topics() {
  const can = useCan();
  const url = useUrlState();
  const [isNew, setNew] = useState(false);
  return (
    <>
      <PageHeader
        title="Topics"
        description="What people can agree to receive, each on its own: a newsletter, offers, product news. Everybody sees these names on their preference page."
        actions={
          can('topics:write') && (
            <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setNew(true)}>
              New topic
            </Button>
          )
        }
      />
      {isNew && <EditTopic topic={undefined} onClose={() => setNew(false)} />}
      <TopicList url={url} onNew={() => setNew(true)} />
    </>
  );
}
