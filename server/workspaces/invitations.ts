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
import { missing, ownSet, refuseGrant } from './roles.rules.ts';
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

export function createInvitations(deps: InvitationDeps): Invitations {
  const { audit, clock } = deps;
  return {
    stateOf: (invitation) => stateAt(invitation, clock.now()),
    create: (tx, caller, origin, email, grant) => create(deps, tx, caller, origin, email, grant),
    list: (tx, state, beforeId, most) => store.listInvitations(tx, state, clock.now(), beforeId, most),

    revoke: async (tx, origin, id) => {
      const invitation = await store.lockInvitation(tx, id);
      if (invitation === undefined) throw notFound('invitation');
      if (stateAt(invitation, clock.now()) !== 'open') return;
      await store.markInvitation(tx, id, 'revoked', clock.now());
      const before = { email: invitation.email, role: invitation.role };
      await audit.record(tx, { ...origin, action: 'invitation.revoked', target: { kind: 'invitation', id }, before });
    },

    look: async (db, token) => {
      const { workspaceId, id } = await locate(db, token);
      return db.read(workspaceId, async (tx) => ({
        invitation: openOr(await store.findInvitation(tx, id), clock.now()),
        workspaceName: (await store.findWorkspace(tx, 'look'))?.name ?? '',
      }));
    },

    accept: async (db, token, acceptance, from) => {
      const { workspaceId, id } = await locate(db, token);
      const proven = await prove(deps, db, workspaceId, id, acceptance.password);
      return db.transaction(workspaceId, (tx) => join(deps, tx, id, acceptance.name, proven, from));
    },
  };
}

function stateAt(invitation: store.InvitationRow, now: Temporal.Instant): store.InvitationState {
  if (invitation.acceptedAt !== null) return 'accepted';
  if (invitation.revokedAt !== null) return 'revoked';
  return Temporal.Instant.compare(invitation.expiresAt, now) > 0 ? 'open' : 'expired';
}

async function locate(db: Db, token: string): Promise<{ workspaceId: string; id: string }> {
  const found = await db.system((tx) => store.findInvitationByToken(tx, sha256(token)));
  if (found === undefined) throw worthless();
  return found;
}

function openOr(invitation: store.InvitationRow | undefined, now: Temporal.Instant): store.InvitationRow {
  if (invitation === undefined || stateAt(invitation, now) !== 'open') throw worthless();
  return invitation;
}

async function create(
  { audit, clock }: InvitationDeps,
  tx: Tx,
  caller: Caller,
  origin: AuditOrigin,
  email: string,
  grant: Grant,
): Promise<Invited> {
  await store.lockMembers(tx);
  const target = await resolveGrant(tx, grant);
  const refused = refuseGrant(await granterOf(tx, caller), undefined, target, 1);
  if (refused !== undefined) throw grantRefused(refused, missing(caller.permissions, target.permissions));
  const address = email.toLowerCase();
  const person = await findPersonByEmail(tx, address);
  if (person !== undefined && (await store.findMember(tx, person.id)) !== undefined)
    throw new AppError('team/member-already', 'This person is in the workspace already. Change their role instead.');
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
  const invitation = openOr(await store.findInvitation(tx, id), now);
  return { invitation, token, workspaceName: (await store.findWorkspace(tx, 'look'))?.name ?? '' };
}

/** What is known of the invited person before they join. */
interface Proven {
  readonly isNew: boolean;
  readonly passwordHash: string;
}

/** Outside the transaction, since hashing is slow; and after the look at the link, so that one that does not work costs nothing. */
async function prove(
  { clock, hasher }: InvitationDeps,
  db: Db,
  workspaceId: string,
  id: string,
  password: string,
): Promise<Proven> {
  const { email, stored } = await db.read(workspaceId, async (tx) => {
    const invitation = openOr(await store.findInvitation(tx, id), clock.now());
    const person = await findPersonByEmail(tx, invitation.email);
    return {
      email: invitation.email,
      stored: person === undefined ? undefined : await findPasswordHash(tx, person.id),
    };
  });
  if (stored === undefined) {
    assertStrong(password, email);
    return { isNew: true, passwordHash: await hasher.hash(password) };
  }
  // Who has an account already joins with its password; the link alone must not open it.
  if (!(await hasher.verify(stored, password)))
    throw new AppError('auth/wrong-credentials', 'You have an account here already: join with its password.');
  return { isNew: false, passwordHash: stored };
}

async function join(
  { audit, clock }: InvitationDeps,
  tx: Tx,
  id: string,
  name: string,
  { isNew, passwordHash }: Proven,
  from: Omit<AuditOrigin, 'actor'>,
): Promise<Joined> {
  const now = clock.now();
  await store.lockMembers(tx);
  const invitation = openOr(await store.lockInvitation(tx, id), now);
  const { email, role, invitedBy } = invitation;
  const person = await findPersonByEmail(tx, email);
  // Made by another link since: its password was not checked.
  if (person !== undefined && isNew)
    throw new AppError('conflict', 'This address has just got an account. Try again with its password.');
  const userId = person?.id ?? newId(clock);
  if (person === undefined)
    await insertPerson(tx, { id: userId, accountId: newId(clock), name, email, passwordHash, now });
  if ((await store.findMember(tx, userId)) !== undefined) throw worthless();
  await store.insertMember(tx, userId, role, role === ownSet ? invitation.permissions : null, now);
  await store.markInvitation(tx, id, 'accepted', now);
  await audit.record(tx, {
    ...from,
    actor: { kind: 'user', id: userId, name: person?.name ?? name },
    action: 'member.joined',
    target: { kind: 'user', id: userId },
    after: { role, email, invitedBy },
  });
  return { workspaceId: tx.workspaceId, userId, email };
}

function worthless(): AppError {
  return new AppError('auth/link-worthless', 'It was used, taken back or has expired. Ask for a new invitation.');
}
