import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { api } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import { Alert } from '@mantine/core';
import { LinkButton, PageHeader, ProblemAlert, useUrlState } from '../../ui/index.ts';
import { CampaignForm } from './campaign-form.tsx';
import { changesOf, emptyForm, formFrom, createBody } from './form.rules.ts';

export function NewCampaignPage() {
  const navigate = useNavigate();
  const { template } = useUrlState().values;
  return (
    <>
      <PageHeader
        title="New campaign"
        crumbs={[{ label: 'Campaigns', to: '/campaigns' }]}
        description="Saving makes a draft. Nothing is sent before you have seen who will get it and started it."
      />
      <CampaignForm
        draftKey="campaign.new"
        base="0"
        initial={{ ...emptyForm, templateId: template ?? '' }}
        submitLabel="Save the draft"
        onSubmit={async (values, idempotencyKey) => {
          const campaign = await api('POST /campaigns', { body: createBody(values), idempotencyKey });
          await refresh('campaigns', 'dashboard');
          await navigate({ to: '/campaigns/$id', params: { id: campaign.id }, ignoreBlocker: true });
        }}
      />
    </>
  );
}

export function EditCampaignPage() {
  const { id } = useParams({ from: '/app/campaigns/$id/edit' });
  const navigate = useNavigate();
  const query = useQuery({ ...ask('GET /campaigns/:id', { params: { id } }), refetchOnWindowFocus: false });
  const campaign = query.data;
  return (
    <>
      <PageHeader
        title={campaign ? `Edit “${campaign.name}”` : 'Edit the campaign'}
        crumbs={[{ label: 'Campaigns', to: '/campaigns' }]}
      />
      <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton height={380} aria-label="The campaign is loading" />}
      {campaign && campaign.status !== 'draft' && (
        <Alert color="yellow" variant="light" title="It is already started">
          What was started can no longer be changed.{' '}
          <LinkButton size="xs" mt="sm" variant="default" to="/campaigns/$id" params={{ id }}>
            Back to the campaign
          </LinkButton>
        </Alert>
      )}
      {campaign?.status === 'draft' && (
        <CampaignForm
          key={campaign.revision}
          draftKey={`campaign.${id}`}
          base={String(campaign.revision)}
          initial={formFrom(campaign)}
          submitLabel="Save"
          onSubmit={async (values) => {
            const body = changesOf(formFrom(campaign), values);
            if (Object.keys(body).length > 0) {
              await api('PATCH /campaigns/:id', { params: { id }, body, ifMatch: campaign.revision });
              await refresh('campaigns');
            }
            await navigate({ to: '/campaigns/$id', params: { id }, ignoreBlocker: true });
          }}
        />
      )}
    </>
  );
}
