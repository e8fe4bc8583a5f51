import { Button } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconX } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Campaign } from '../../../contract/campaigns.ts';
import { api } from '../../api.ts';
import { refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { confirm, LinkButton, tell } from '../../ui/index.ts';

/** What can be done with a campaign as it stands; starting it belongs to the picture of its audience. */
export function CampaignActions({ campaign }: { campaign: Campaign }) {
  const can = useCan();
  const [busy, setBusy] = useState(false);
  const params = { id: campaign.id };
  const act = async (work: () => Promise<unknown>, done: string) => {
    setBusy(true);
    try {
      await work();
      await refresh('campaigns', 'messages');
      tell.done(done);
    } catch (error) {
      tell.problem(error);
    } finally {
      setBusy(false);
    }
  };
  const cancel = async () => {
    const said = await confirm({
      title: `Cancel “${campaign.name}”?`,
      body: 'What has been handed over cannot be called back. Everything else becomes “cancelled” for good: it cannot be resumed, and those people do not get it.',
      confirmLabel: 'Cancel the campaign',
      danger: true,
    });
    if (said) await act(() => api('POST /campaigns/:id/cancel', { params }), 'The campaign is cancelled.');
  };
  if (campaign.status === 'draft') return <DraftActions campaign={campaign} />;
  if (!can('campaigns:send') || (campaign.status !== 'running' && campaign.status !== 'paused')) return null;
  return (
    <>
      {campaign.status === 'running' ? (
        <Button
          variant="default"
          loading={busy}
          leftSection={<IconPlayerPause size={16} aria-hidden />}
          onClick={() =>
            void act(
              () => api('POST /campaigns/:id/pause', { params }),
              'Paused. What is on the wire ends, nothing new begins.',
            )
          }
        >
          Pause
        </Button>
      ) : (
        <Button
          loading={busy}
          leftSection={<IconPlayerPlay size={16} aria-hidden />}
          onClick={() => void act(() => api('POST /campaigns/:id/resume', { params }), 'It goes on.')}
        >
          Resume
        </Button>
      )}
      <Button variant="default" leftSection={<IconX size={16} aria-hidden />} onClick={() => void cancel()}>
        Cancel…
      </Button>
    </>
  );
}

function DraftActions({ campaign }: { campaign: Campaign }) {
  const can = useCan();
  const navigate = useNavigate();
  if (!can('campaigns:write')) return null;
  const remove = async () => {
    const said = await confirm({
      title: `Delete the draft “${campaign.name}”?`,
      body: 'Nothing was sent with it. The template and the contacts stay.',
      confirmLabel: 'Delete the draft',
      danger: true,
    });
    if (!said) return;
    try {
      await api('DELETE /campaigns/:id', { params: { id: campaign.id } });
      await navigate({ to: '/campaigns' });
      await refresh('campaigns');
      tell.done('The draft is deleted.');
    } catch (error) {
      tell.problem(error);
    }
  };
  return (
    <>
      <Button variant="default" onClick={() => void remove()}>
        Delete…
      </Button>
      <LinkButton variant="default" to="/campaigns/$id/edit" params={{ id: campaign.id }}>
        Edit
      </LinkButton>
    </>
  );
}
