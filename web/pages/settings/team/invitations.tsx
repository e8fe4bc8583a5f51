import { Alert, Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconMailPlus, IconUserPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { Invitation } from '../../../../contract/team.ts';
import { api, type Answer } from '../../../api.ts';
import { useList } from '../../../list.ts';
import { refresh } from '../../../query.ts';
import { useCan } from '../../../shell/me.ts';
import {
  confirm,
  CopyText,
  DataTable,
  EmptyState,
  ProblemAlert,
  StateBadge,
  tell,
  TimeText,
  useSubmit,
  type UrlStateHandle,
} from '../../../ui/index.ts';
import { GrantPicker, type Grant } from './grant-picker.tsx';

export function Invitations({ url }: { url: UrlStateHandle }) {
  const can = useCan();
  const invitations = useList('GET /invitations', url);
  const [isInviting, setInviting] = useState(false);
  const invite = can('team:write') && (
    <Button leftSection={<IconUserPlus size={18} aria-hidden />} onClick={() => setInviting(true)}>
      Invite somebody
    </Button>
  );
  return (
    <>
      {isInviting && <Invite onClose={() => setInviting(false)} />}
      <DataTable
        name="Invitations"
        url={url}
        query={invitations}
        rowKey={(invitation) => invitation.id}
        tools={invite}
        empty={
          <EmptyState icon={IconMailPlus} title="Nobody is invited" action={invite}>
            An invitation is a link that lets one person join with a role you choose.
          </EmptyState>
        }
        columns={[
          { key: 'email', header: 'E-mail', cell: (invitation) => invitation.email },
          { key: 'role', header: 'Role', cell: (invitation) => invitation.roleName },
          { key: 'state', header: 'State', cell: (invitation) => <StateBadge state={invitation.state} /> },
          { key: 'by', header: 'Invited by', cell: (invitation) => invitation.invitedBy },
          { key: 'at', header: 'When', cell: (invitation) => <TimeText at={invitation.createdAt} relative /> },
          {
            key: 'expires',
            header: 'Works until',
            cell: (invitation) => <TimeText at={invitation.expiresAt} />,
            optional: true,
          },
          {
            key: 'actions',
            header: 'Actions',
            align: 'end',
            cell: (invitation) =>
              can('team:write') &&
              invitation.state === 'open' && (
                <Button
                  size="xs"
                  variant="default"
                  aria-label={`Revoke the invitation of ${invitation.email}`}
                  onClick={() => void revoke(invitation)}
                >
                  Revoke
                </Button>
              ),
          },
        ]}
      />
    </>
  );
}

async function revoke(invitation: Invitation): Promise<void> {
  const isSure = await confirm({
    title: 'Revoke this invitation?',
    body: `The link for ${invitation.email} stops working at once. You can invite them again.`,
    confirmLabel: 'Revoke',
    danger: true,
  });
  if (!isSure) return;
  try {
    await api('DELETE /invitations/:id', { params: { id: invitation.id } });
    await refresh('invitations');
  } catch (error) {
    tell.problem(error);
  }
}

function Invite({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<Answer<'POST /invitations'>>();
  const [grant, setGrant] = useState<Grant>({ role: 'marketer' });
  const form = useForm({
    initialValues: { email: '' },
    validate: { email: (value) => (/^\S+@\S+$/.test(value.trim()) ? null : 'Enter an e-mail address') },
  });
  const { submit, busy, problem } = useSubmit(form, async ({ email }) => {
    setMade(await api('POST /invitations', { body: { email: email.trim(), grant } }));
    await refresh('invitations');
  });
  return (
    <Modal opened onClose={onClose} title="Invite somebody" size="lg">
      {made ? (
        <Stack>
          <Alert color="teal" role="status" title={`${made.email} is invited`}>
            {made.mailed
              ? 'The link is on its way by e-mail. You can also pass it on yourself; it is shown only now.'
              : 'No e-mail could be sent. Pass this link on yourself; it is shown only now.'}
          </Alert>
          <CopyText value={made.url} label="the link" />
          <Button onClick={onClose}>Done</Button>
        </Stack>
      ) : (
        <form onSubmit={submit} noValidate>
          <Stack>
            <ProblemAlert problem={problem} />
            <TextInput label="E-mail" type="email" data-autofocus {...form.getInputProps('email')} />
            <GrantPicker value={grant} onChange={setGrant} />
            <Group justify="flex-end">
              <Button type="submit" loading={busy}>
                Make the invitation
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
