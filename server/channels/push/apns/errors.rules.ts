import type { ErrorTable } from '../../port.ts';

/**
 * What the reasons of APNs mean (Apple: Handling notification responses from APNs). Tokens of Apple's test environment are
 * unknown to production and the other way round; APNs then says `BadDeviceToken`, and for this account that is final too.
 */
export const apnsErrors: ErrorTable = {
  BadCollapseId: { category: 'content', meaning: 'the collapse identifier is too long' },
  BadDeviceToken: {
    category: 'address',
    meaning: 'this is not a device token of the environment (production or test) that the account is set to',
  },
  BadExpirationDate: { category: 'content', meaning: 'the expiry is no time' },
  BadMessageId: { category: 'content', meaning: 'the message id is not a UUID' },
  BadPriority: { category: 'content', meaning: 'there is no such priority' },
  BadTopic: { category: 'account', meaning: 'the topic (bundle id) is not one' },
  DeviceTokenNotForTopic: { category: 'address', meaning: 'the device token belongs to another app' },
  DuplicateHeaders: { category: 'content', meaning: 'a header was sent twice' },
  IdleTimeout: { category: 'transient', meaning: 'the connection was idle for too long' },
  InvalidPushType: { category: 'content', meaning: 'there is no such push type' },
  MissingDeviceToken: { category: 'address', meaning: 'no device token was given' },
  MissingTopic: { category: 'account', meaning: 'the account has no topic (bundle id)' },
  PayloadEmpty: { category: 'content', meaning: 'the message is empty' },
  TopicDisallowed: { category: 'account', meaning: 'the key may not send to this topic (bundle id)' },
  BadCertificate: { category: 'account', meaning: 'the certificate is not valid' },
  BadCertificateEnvironment: { category: 'account', meaning: 'the certificate is of the other environment' },
  ExpiredProviderToken: { category: 'account', meaning: 'the provider token is too old: the clock may be wrong' },
  Forbidden: { category: 'account', meaning: 'APNs refuses this account' },
  InvalidProviderToken: { category: 'account', meaning: 'the key, its id and the team id do not belong together' },
  MissingProviderToken: { category: 'account', meaning: 'no provider token was sent' },
  UnrelatedKeyIdInToken: { category: 'account', meaning: 'the key id is not of this team' },
  BadEnvironmentKeyIdInToken: { category: 'account', meaning: 'the key is of the other environment' },
  BadPath: { category: 'content', meaning: 'the path of the request is wrong' },
  MethodNotAllowed: { category: 'content', meaning: 'the method of the request is wrong' },
  ExpiredToken: { category: 'address', meaning: 'the device token has expired' },
  Unregistered: { category: 'address', meaning: 'the app was removed from the device' },
  PayloadTooLarge: { category: 'content', meaning: 'the message is longer than 4,096 bytes' },
  TooManyProviderTokenUpdates: {
    category: 'throttled',
    meaning: 'the provider token was renewed too often',
    afterMs: 20 * 60_000,
  },
  // Said of one device, so the lane goes on.
  TooManyRequests: { category: 'transient', meaning: 'too many messages for this device in a row', afterMs: 60_000 },
  InternalServerError: { category: 'transient', meaning: 'an error inside APNs' },
  ServiceUnavailable: { category: 'provider-down', meaning: 'APNs is out of order' },
  Shutdown: { category: 'provider-down', meaning: 'this server of APNs is shutting down', afterMs: 1_000 },
};
