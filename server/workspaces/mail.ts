import type { Background } from './background.ts';

/** A mail of Parley's own, to somebody who works with it. */
export interface SystemMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
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

export function invitationMail(to: string, workspaceName: string, invitedBy: string, url: string): SystemMail {
  return {
    to,
    subject: `Join ${workspaceName} on Parley`,
    text: `Hello,

${invitedBy} invites you to the workspace "${workspaceName}" on Parley.

Choose a name and a password here, within 7 days:
${url}

If you did not expect this, do nothing.
`,
  };
}

export function resetMail(to: string, name: string, url: string): SystemMail {
  return {
    to,
    subject: 'Set a new password for Parley',
    text: `Hello ${name},

somebody, hopefully you, asked to set a new password for your account. The link works once, within the next hour:
${url}

If it was not you, do nothing: your password stays as it is.
`,
  };
}
