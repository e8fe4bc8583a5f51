import { Skeleton, Stack, Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useEffect } from 'react';
import { refresh } from '../../query.ts';
import { stateText } from '../../reasons.ts';
import { LinkButton, PageHeader, ProblemAlert, StateBadge, TimeText } from '../../ui/index.ts';
import { ImportProgress, useImport } from './import-progress.tsx';

export function ImportPage() {
  const { id } = useParams({ from: '/app/imports/$id' });
  const query = useImport(id);
  const data = query.data;
  const state = data?.state;
  useEffect(() => {
    // Contacts, attributes and consents changed under the other pages.
    if (state === 'done') void refresh('contacts', 'attributes', 'topics', 'dashboard');
  }, [state]);
  return (
    <>
      <PageHeader
        title={data?.fileName ?? 'Import'}
        crumbs={[{ label: 'Imports', to: '/imports' }]}
        badge={data && <StateBadge state={data.state} label={stateText(data.state).label} />}
        description={
          data && (
            <>
              {data.dryRun ? 'Check without writing, started ' : 'Started '}
              <TimeText at={data.startedAt ?? data.createdAt} /> by {data.requestedBy}
              {data.endedAt && (
                <>
                  , ended <TimeText at={data.endedAt} />
                </>
              )}
            </>
          )
        }
      />
      <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton height={220} aria-label="The import is loading" />}
      {data && (
        <Stack gap="lg">
          <ImportProgress data={data} />
          {data.state === 'done' && <NextStep isDryRun={data.dryRun} />}
        </Stack>
      )}
    </>
  );
}

function NextStep({ isDryRun }: { isDryRun: boolean }) {
  if (isDryRun) {
    return (
      <div>
        <LinkButton to="/imports/new">Import the file for real</LinkButton>
      </div>
    );
  }
  return (
    <Stack gap="xs" align="flex-start">
      <Text>Next: look at who came in, or write what you want to tell them.</Text>
      <div style={{ display: 'flex', gap: 8, flexWrap: 'wrap' }}>
        <LinkButton to="/contacts">See the contacts</LinkButton>
        <LinkButton to="/templates/new" variant="default">
          Write a template
        </LinkButton>
      </div>
    </Stack>
  );
}
