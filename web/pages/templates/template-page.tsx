import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { ask } from '../../query.ts';
import { PageHeader, ProblemAlert } from '../../ui/index.ts';
import { ContentEditor } from './content-editor.tsx';
import { contentFromTemplate } from './content.rules.ts';
import { draftFromTemplate } from './draft.rules.ts';
import { TemplateEditor } from './template-editor.tsx';

export function TemplatePage() {
  const { id } = useParams({ from: '/app/templates/$id' });
  const query = useQuery({
    ...ask('GET /templates/:id', { params: { id } }),
    // What is being edited must not change under the editor's hands.
    refetchOnWindowFocus: false,
  });
  if (query.data && query.data.channel !== 'email') {
    const initial = contentFromTemplate(query.data);
    return <ContentEditor key={id} template={query.data} initial={initial} draftKey={`template.${id}`} />;
  }
  if (query.data) {
    return (
      <TemplateEditor
        key={id}
        template={query.data}
        initial={draftFromTemplate(query.data)}
        draftKey={`template.${id}`}
      />
    );
  }
  return (
    <>
      <PageHeader title="Template" crumbs={[{ label: 'Templates', to: '/templates' }]} />
      <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton height={480} aria-label="The template is loading" />}
    </>
  );
}
