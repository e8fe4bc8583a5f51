import { z } from 'zod';
import { endpoint, id, line, time } from './endpoint.ts';
import { email } from './mailbox.ts';
import { permissions } from './permissions.ts';

const tag = 'Sign-in';
/** NIST SP 800-63B: length counts, composition rules do not; the cap keeps hashing bounded. */
export const newPassword = z.string().min(12).max(200);
const password = z.string().min(1).max(200);
const secretToken = z.string().min(20).max(500);
const totpCode = z.string().regex(/^\d{6}$/, 'must be the 6 digits shown by your authenticator app');
const permission = z.enum(permissions);

/** `twoFactorRequired`: a short-lived cookie waits for `/auth/sign-in/two-factor`; no session exists yet. */
export const signInResult = z.strictObject({ twoFactorRequired: z.boolean() });

export const getSetup = endpoint({
  method: 'GET',
  path: '/auth/setup',
  permission: 'public',
  summary: 'Whether the first owner has yet to be created',
  tag,
  status: 200,
  response: z.strictObject({ needed: z.boolean() }),
});

export const setup = endpoint({
  method: 'POST',
  path: '/auth/setup',
  permission: 'public',
  summary: 'Create the first owner and the workspace, and sign in; refused once an owner exists',
  tag,
  body: z.strictObject({ workspaceName: line(100), name: line(100), email, password: newPassword }),
  status: 201,
  response: signInResult,
});

export const signIn = endpoint({
  method: 'POST',
  path: '/auth/sign-in',
  permission: 'public',
  summary: 'Sign in with e-mail and password; sets the session cookie',
  tag,
  body: z.strictObject({ email, password }),
  status: 200,
  response: signInResult,
});

export const signInTwoFactor = endpoint({
  method: 'POST',
  path: '/auth/sign-in/two-factor',
  permission: 'public',
  summary: 'Finish a sign-in with a code of the authenticator app or a backup code',
  tag,
  body: z.union([z.strictObject({ code: totpCode }), z.strictObject({ backupCode: z.string().trim().min(6).max(40) })]),
  status: 200,
  response: signInResult,
});

export const signOut = endpoint({
  method: 'POST',
  path: '/auth/sign-out',
  permission: 'signed-in',
  summary: 'End this session',
  tag,
  status: 204,
});

export const forgotPassword = endpoint({
  method: 'POST',
  path: '/auth/password/forgot',
  permission: 'public',
  summary: 'Send a reset link; answers the same whether or not the address is known',
  tag,
  body: z.strictObject({ email }),
  status: 204,
});

export const resetPassword = endpoint({
  method: 'POST',
  path: '/auth/password/reset',
  permission: 'public',
  summary: 'Set a new password with the token of a reset link; ends all sessions',
  tag,
  body: z.strictObject({ token: secretToken, password: newPassword }),
  status: 204,
});

export const changePassword = endpoint({
  method: 'PUT',
  path: '/auth/password',
  permission: 'signed-in',
  summary: 'Change the own password; ends the other sessions',
  tag,
  body: z.strictObject({ currentPassword: password, newPassword }),
  status: 204,
});

export const enableTwoFactor = endpoint({
  method: 'POST',
  path: '/auth/two-factor/enable',
  permission: 'signed-in',
  summary: 'Begin enrolment: the secret for the authenticator app and the backup codes; takes effect when confirmed',
  tag,
  body: z.strictObject({ password }),
  status: 200,
  response: z.strictObject({
    /** `otpauth://totp/...`, what the QR code holds. */
    uri: z.string(),
    /** Base32, to type by hand. */
    secret: z.string(),
    /** Shown once. */
    backupCodes: z.array(z.string()),
  }),
});

export const confirmTwoFactor = endpoint({
  method: 'POST',
  path: '/auth/two-factor/confirm',
  permission: 'signed-in',
  summary: 'Finish enrolment with a code of the app',
  tag,
  body: z.strictObject({ code: totpCode }),
  status: 204,
});

export const disableTwoFactor = endpoint({
  method: 'POST',
  path: '/auth/two-factor/disable',
  permission: 'signed-in',
  summary: 'Turn two-factor sign-in off',
  tag,
  body: z.strictObject({ password }),
  status: 204,
});

export const createToken = endpoint({
  method: 'POST',
  path: '/auth/token',
  permission: 'signed-in',
  summary: 'Exchange an API key (as the bearer) for a short-lived JWT with the same or fewer scopes',
  tag,
  body: z.strictObject({
    scopes: z.array(permission).min(1).max(permissions.length).optional(),
    expiresInSeconds: z.int().min(60).max(3600).default(900),
  }),
  status: 201,
  response: z.strictObject({
    token: z.string(),
    tokenType: z.literal('Bearer'),
    expiresAt: time,
    scopes: z.array(permission),
  }),
});

export const me = z.strictObject({
  kind: z.enum(['user', 'key', 'token']),
  id: z.string(),
  name: z.string(),
  /** Absent for keys and tokens. */
  user: z
    .strictObject({
      id,
      name: z.string(),
      email: z.string(),
      role: z.string(),
      twoFactorEnabled: z.boolean(),
      timeZone: z.string().nullable(),
      locale: z.string().nullable(),
    })
    .nullable(),
  workspace: z.strictObject({ id, name: z.string() }),
  permissions: z.array(permission),
});
export type Me = z.output<typeof me>;

export const getMe = endpoint({
  method: 'GET',
  path: '/me',
  permission: 'signed-in',
  summary: 'Who is calling, in which workspace, and what they may do',
  tag,
  status: 200,
  response: me,
});

export const updateMe = endpoint({
  method: 'PATCH',
  path: '/me',
  permission: 'signed-in',
  summary: 'Change the own name, time zone or language of numbers and dates',
  tag,
  body: z.strictObject({
    name: line(100).optional(),
    /** IANA name; null: the browser's. */
    timeZone: line(64).nullable().optional(),
    /** BCP 47; null: the browser's. */
    locale: line(35).nullable().optional(),
  }),
  status: 200,
  response: me,
});

export const session = z.strictObject({
  id: z.string(),
  current: z.boolean(),
  createdAt: time,
  lastSeenAt: time,
  expiresAt: time,
  ip: z.string().nullable(),
  userAgent: z.string().nullable(),
});

export const listSessions = endpoint({
  method: 'GET',
  path: '/auth/sessions',
  permission: 'signed-in',
  summary: 'Where the caller is signed in',
  tag,
  status: 200,
  response: z.strictObject({ data: z.array(session) }),
});

export const endOtherSessions = endpoint({
  method: 'DELETE',
  path: '/auth/sessions',
  permission: 'signed-in',
  summary: 'Sign out everywhere else',
  tag,
  status: 204,
});

export const endSession = endpoint({
  method: 'DELETE',
  path: '/auth/sessions/:id',
  permission: 'signed-in',
  summary: 'End one of the own sessions',
  tag,
  params: z.strictObject({ id: z.string().min(1).max(200) }),
  status: 204,
});

/** Better kept beside sign-in: the person who accepts has no session yet. */
export const invitationToken = z.strictObject({ token: secretToken });

export const getInvitationByToken = endpoint({
  method: 'GET',
  path: '/auth/invitations/:token',
  permission: 'public',
  summary: 'What an invitation link invites to',
  tag,
  params: invitationToken,
  status: 200,
  response: z.strictObject({
    email: z.string(),
    workspaceName: z.string(),
    roleName: z.string(),
    invitedBy: z.string(),
    expiresAt: time,
  }),
});

export const acceptInvitation = endpoint({
  method: 'POST',
  path: '/auth/invitations/:token/accept',
  permission: 'public',
  summary: 'Join with a name and a password, and sign in',
  tag,
  params: invitationToken,
  body: z.strictObject({ name: line(100), password: newPassword }),
  status: 201,
  response: signInResult,
});

export const authEndpoints = [
  getSetup,
  setup,
  signIn,
  signInTwoFactor,
  signOut,
  forgotPassword,
  resetPassword,
  changePassword,
  enableTwoFactor,
  confirmTwoFactor,
  disableTwoFactor,
  createToken,
  getMe,
  updateMe,
  listSessions,
  endOtherSessions,
  endSession,
  getInvitationByToken,
  acceptInvitation,
] as const;
