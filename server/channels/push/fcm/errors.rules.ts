import type { ErrorTable } from '../../port.ts';

/**
 * What FCM's codes mean (Firebase: ErrorCode of the HTTP v1 API, and the canonical codes of google.rpc.Code where the
 * answer has no FcmError). `INVALID_ARGUMENT` is two things: a payload that is wrong, and a token that was never one; the
 * latter is told by the details and named `INVALID_TOKEN` here.
 */
export const fcmErrors: ErrorTable = {
  UNSPECIFIED_ERROR: { category: 'transient', meaning: 'FCM gave no reason' },
  INVALID_ARGUMENT: { category: 'content', meaning: 'FCM does not take this message' },
  INVALID_TOKEN: { category: 'address', meaning: 'this is not a registration token' },
  UNREGISTERED: { category: 'address', meaning: 'the app was removed from the device, or the token was replaced' },
  // The token works, with another project's account: for this workspace it is as good as gone, and the app has to register again.
  SENDER_ID_MISMATCH: { category: 'address', meaning: 'the token belongs to another Firebase project' },
  QUOTA_EXCEEDED: { category: 'throttled', meaning: 'more messages than the quota allows' },
  UNAVAILABLE: { category: 'provider-down', meaning: 'FCM is overloaded or out of order' },
  INTERNAL: { category: 'transient', meaning: 'an error inside FCM' },
  THIRD_PARTY_AUTH_ERROR: {
    category: 'account',
    meaning: 'the APNs key or web push key stored with Firebase is missing or wrong',
  },
  UNAUTHENTICATED: { category: 'account', meaning: 'the access token was not accepted' },
  PERMISSION_DENIED: { category: 'account', meaning: 'the service account may not send for this project' },
  NOT_FOUND: { category: 'account', meaning: 'there is no such Firebase project' },
  RESOURCE_EXHAUSTED: { category: 'throttled', meaning: 'more messages than the quota allows' },
  FAILED_PRECONDITION: { category: 'account', meaning: 'the FCM API is not enabled for this project' },
  CANCELLED: { category: 'transient', meaning: 'FCM gave up the request' },
  DEADLINE_EXCEEDED: { category: 'unknown', meaning: 'FCM did not finish in time' },
  ABORTED: { category: 'transient', meaning: 'FCM gave up the request' },
  // Of the token's endpoint (RFC 6749, 5.2).
  invalid_grant: { category: 'account', meaning: 'the service account or its key was removed, or the clock is wrong' },
  invalid_client: { category: 'account', meaning: 'the service account is not known' },
  invalid_scope: { category: 'account', meaning: 'the service account may not ask for messaging' },
  unauthorized_client: { category: 'account', meaning: 'the service account may not ask for tokens' },
  access_denied: { category: 'account', meaning: 'the service account was refused' },
};

/** Where FCM names no time: a minute for the quota, ten seconds for what is out of order (Firebase: Scale FCM). */
export function fcmPatienceMs(status: number): number | undefined {
  if (status === 429) return 60_000;
  return status >= 500 ? 10_000 : undefined;
}
