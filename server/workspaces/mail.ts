import type { Caller } from '../platform/http.ts';
import type { Background } from './background.ts';

/** A mail of Parley's own, to somebody who works with it. */
export interface SystemMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /**
   * The one user who may read it where the sandbox catches it: its link opens an account, and an inbox that colleagues
   * share must not show it. Null: nobody.
   */
  readonly readerId: string | null;
}

/** Filled by the composition root; rejects when no account can send. The workspace says whose account to use. */
export type SendSystemMail = (workspaceId: string, mail: SystemMail) => Promise<void>;

const patienceMs = 10_000;

/** Sends within a few seconds, or answers false: whoever waits has the link too. */
export async function trySend(
  send: SendSystemMail,
  background: Background,
  workspaceId: string,
  mail: SystemMail,
): Promise<boolean> {
  const sending = send(workspaceId, mail).then(() => true);
  background.run(sending);
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), patienceMs);
  try {
    return await Promise.race([sending, late]);
  } catch {
    // Told to the log by the background.
    return false;
  } finally {
    clearTimeout(timer);
  }
}

export interface Invited {
  readonly to: string;
  readonly workspaceName: string;
  readonly by: Caller;
  readonly url: string;
}

/** Readable to the person who invites, who was answered the link anyway; keys and tokens read no mail of Parley's own. */
export function invitationMail({ to, workspaceName, by, url }: Invited): SystemMail {
  return {
    to,
    readerId: by.kind === 'user' ? by.id : null,
    subject: `Join ${workspaceName} on Parley`,
    text: `Hello,

${by.name} invites you to the workspace "${workspaceName}" on Parley.

Choose a name and a password here, within 7 days:
${url}

If you did not expect this, do nothing.
`,
  };
}

/** Readable to the person it is for alone: not even an owner may open somebody else's account. */
export function resetMail(
  person: { readonly id: string; readonly email: string; readonly name: string },
  url: string,
): SystemMail {
  return {
    to: person.email,
    readerId: person.id,
    subject: 'Set a new password for Parley',
    text: `Hello ${person.name},

somebody, hopefully you, asked to set a new password for your account. The link works once, within the next hour:
${url}

If it was not you, do nothing: your password stays as it is.
`,
  };
}
