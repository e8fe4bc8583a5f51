import { randomBytes } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { AppError, notFound } from '../platform/errors.ts';
import type { Caller } from '../platform/http.ts';
import { newId } from '../platform/ids.ts';
import type { Audit, AuditOrigin } from './audit.ts';
import { sha256 } from './callers.ts';
import { granterOf, grantRefused, resolveGrant } from './grants.ts';
import type { Grant } from './grants.ts';
import type { PasswordHasher } from './password.ts';
import { assertStrong } from './password.ts';
import { findPasswordHash, findPersonByEmail, insertPerson } from './people.store.ts';
import { refuseGrant } from './roles.rules.ts';
import * as store from './store.ts';

const validDays = 7;

export interface Invited {
  readonly invitation: store.InvitationRow;
  /** Shown once; only its hash is kept. */
  readonly token: string;
  readonly workspaceName: string;
}

export interface Acceptance {
  readonly name: string;
  readonly password: string;
}

export interface Joined {
  readonly workspaceId: string;
  readonly userId: string;
  readonly email: string;
}

export interface Invitations {
  create(tx: Tx, caller: Caller, origin: AuditOrigin, email: string, grant: Grant): Promise<Invited>;
  list(
    tx: Tx,
    state: store.InvitationState | undefined,
    beforeId: string | undefined,
    most: number,
  ): Promise<store.InvitationRow[]>;
  revoke(tx: Tx, origin: AuditOrigin, id: string): Promise<void>;
  /** What an open invitation invites to. Throws `auth/link-worthless` for any other. */
  look(db: Db, token: string): Promise<{ invitation: store.InvitationRow; workspaceName: string }>;
  /** Makes the person, or recognises them by their password, and lets them in. */
  accept(db: Db, token: string, acceptance: Acceptance, from: Omit<AuditOrigin, 'actor'>): Promise<Joined>;
  stateOf(invitation: store.InvitationRow): store.InvitationState;
}

export interface InvitationDeps {
  readonly audit: Audit;
  readonly clock: Clock;
  readonly hasher: PasswordHasher;
}

export function createInvitations({ audit, clock, hasher }: InvitationDeps): Invitations {
  const stateOf = (invitation: store.InvitationRow): store.InvitationState => {
    if (invitation.acceptedAt !== null) return 'accepted';
    if (invitation.revokedAt !== null) return 'revoked';
    return Temporal.Instant.compare(invitation.expiresAt, clock.now()) > 0 ? 'open' : 'expired';
  };

  const locate = async (db: Db, token: string) => {
    const found = await db.system((tx) => store.findInvitationByToken(tx, sha256(token)));
    if (found === undefined) throw worthless();
    return found;
  };

  const openOr = (invitation: store.InvitationRow | undefined): store.InvitationRow => {
    if (invitation === undefined || stateOf(invitation) !== 'open') throw worthless();
    return invitation;
  };

  return {
    stateOf,

    create: async (tx, caller, origin, email, grant) => {
      await store.lockMembers(tx);
      const target = await resolveGrant(tx, grant);
      const refused = refuseGrant(await granterOf(tx, caller), undefined, target, 1);
      if (refused !== undefined)
        throw grantRefused(
          refused,
          target.permissions.filter((one) => !caller.permissions.has(one)),
        );
      const address = email.toLowerCase();
      const person = await findPersonByEmail(tx, address);
      if (person !== undefined && (await store.findMember(tx, person.id)) !== undefined)
        throw new AppError(
          'team/member-already',
          'This person is in the workspace already. Change their role instead.',
        );
      const now = clock.now();
      const token = `inv_${randomBytes(24).toString('base64url')}`;
      const id = newId(clock);
      await store.insertInvitation(tx, {
        id,
        email: address,
        role: target.role,
        permissions: target.stored,
        tokenHash: sha256(token),
        invitedBy: caller.name,
        createdAt: now,
        expiresAt: now.add({ hours: validDays * 24 }),
      });
      await audit.record(tx, {
        ...origin,
        action: 'invitation.created',
        target: { kind: 'invitation', id },
        after: { email: address, role: target.role, permissions: target.permissions },
      });
      const invitation = openOr(await store.findInvitation(tx, id));
      return { invitation, token, workspaceName: (await store.findWorkspace(tx, 'look'))?.name ?? '' };
    },

    list: (tx, state, beforeId, most) => store.listInvitations(tx, state, clock.now(), beforeId, most),

    revoke: async (tx, origin, id) => {
      const invitation = await store.lockInvitation(tx, id);
      if (invitation === undefined) throw notFound('invitation');
      if (stateOf(invitation) !== 'open') return;
      await store.markInvitation(tx, id, 'revoked', clock.now());
      const before = { email: invitation.email, role: invitation.role };
      await audit.record(tx, { ...origin, action: 'invitation.revoked', target: { kind: 'invitation', id }, before });
    },

    look: async (db, token) => {
      const { workspaceId, id } = await locate(db, token);
      return db.read(workspaceId, async (tx) => ({
        invitation: openOr(await store.findInvitation(tx, id)),
        workspaceName: (await store.findWorkspace(tx, 'look'))?.name ?? '',
      }));
    },

    accept: async (db, token, { name, password }, from) => {
      const { workspaceId, id } = await locate(db, token);
      // Before the hash, which is dear: a link that does not work costs nothing.
      const known = await db.read(workspaceId, async (tx) => {
        const { email } = openOr(await store.findInvitation(tx, id));
        const person = await findPersonByEmail(tx, email);
        return { email, stored: person === undefined ? undefined : await findPasswordHash(tx, person.id) };
      });
      if (known.stored === undefined) assertStrong(password, known.email);
      // Who has an account already joins with its password; the link alone must not open it.
      else if (!(await hasher.verify(known.stored, password)))
        throw new AppError('auth/wrong-credentials', 'You have an account here already: join with its password.');
      const passwordHash = known.stored ?? (await hasher.hash(password));

      return db.transaction(workspaceId, async (tx) => {
        await store.lockMembers(tx);
        const invitation = openOr(await store.lockInvitation(tx, id));
        const person = await findPersonByEmail(tx, invitation.email);
        // Made by another link since: its password was not checked above.
        if (person !== undefined && known.stored === undefined)
          throw new AppError('conflict', 'This address has just got an account. Try again with its password.');
        const now = clock.now();
        const userId = person?.id ?? newId(clock);
        if (person === undefined)
          await insertPerson(tx, {
            id: userId,
            accountId: newId(clock),
            name,
            email: invitation.email,
            passwordHash,
            now,
          });
        if ((await store.findMember(tx, userId)) !== undefined) throw worthless();
        const own = invitation.role === 'custom' ? invitation.permissions : null;
        await store.insertMember(tx, userId, invitation.role, own, now);
        await store.markInvitation(tx, id, 'accepted', now);
        await audit.record(tx, {
          ...from,
          actor: { kind: 'user', id: userId, name: person?.name ?? name },
          action: 'member.joined',
          target: { kind: 'user', id: userId },
          after: { role: invitation.role, email: invitation.email, invitedBy: invitation.invitedBy },
        });
        return { workspaceId, userId, email: invitation.email };
      });
    },
  };
}

function worthless(): AppError {
  return new AppError('auth/link-worthless', 'It was used, taken back or has expired. Ask for a new invitation.');
}
