import type { ErrorTable, VendorError } from '../../port.ts';

const content = (meaning: string): VendorError => ({ category: 'content', meaning });
const account = (meaning: string): VendorError => ({ category: 'account', meaning });
const address = (meaning: string): VendorError => ({ category: 'address', meaning });
const transient = (meaning: string): VendorError => ({ category: 'transient', meaning });
const throttled = (meaning: string): VendorError => ({ category: 'throttled', meaning });
const down = (meaning: string): VendorError => ({ category: 'provider-down', meaning });

/**
 * What SNS answers, by the code of the Query protocol (API reference of Publish, common errors), and by the name of the
 * exception in Amazon's models.
 */
const answers: ErrorTable = {
  InvalidParameter: content('a parameter is not valid'),
  InvalidParameterException: content('a parameter is not valid'),
  ParameterValueInvalid: content('a value of a parameter is not valid'),
  InvalidParameterValue: content('a value of a parameter is not valid'),
  InvalidParameterValueException: content('a value of a parameter is not valid'),
  ValidationError: content('the request is not valid'),
  ValidationException: content('the request is not valid'),
  TooManyEntriesInBatchRequest: content('too many entries in a batch'),
  TooManyEntriesInBatchRequestException: content('too many entries in a batch'),
  BatchRequestTooLong: content('the batch is too long'),
  BatchRequestTooLongException: content('the batch is too long'),
  EndpointDisabled: address('the endpoint is disabled'),
  EndpointDisabledException: address('the endpoint is disabled'),
  OptedOut: address('the number has opted out'),
  OptedOutException: address('the number has opted out'),
  NotFound: account('what was asked for does not exist'),
  NotFoundException: account('what was asked for does not exist'),
  PlatformApplicationDisabled: account('the application is disabled'),
  PlatformApplicationDisabledException: account('the application is disabled'),
  AuthorizationError: account('the credentials do not permit this'),
  AuthorizationErrorException: account('the credentials do not permit this'),
  AccessDenied: account('the credentials do not permit this'),
  AccessDeniedException: account('the credentials do not permit this'),
  InvalidSecurity: account('the request was not signed as it must be'),
  InvalidSecurityException: account('the request was not signed as it must be'),
  InvalidClientTokenId: account('the access key does not exist'),
  SignatureDoesNotMatch: account('the secret access key is wrong'),
  IncompleteSignature: account('the request was not signed as it must be'),
  MissingAuthenticationToken: account('the request was not signed'),
  OptInRequired: account('the access key is not subscribed to the service'),
  ExpiredToken: account('the temporary credentials have run out'),
  ExpiredTokenException: account('the temporary credentials have run out'),
  RequestExpired: account('this machine’s clock is wrong'),
  Throttling: throttled('too many requests'),
  ThrottlingException: throttled('too many requests'),
  Throttled: throttled('too many requests'),
  ThrottledException: throttled('too many requests'),
  RequestLimitExceeded: throttled('too many requests'),
  KMSThrottling: throttled('too many requests for the key'),
  KMSThrottlingException: throttled('too many requests for the key'),
  InternalError: down('an error of Amazon’s own'),
  InternalErrorException: down('an error of Amazon’s own'),
  InternalFailure: down('an error of Amazon’s own'),
  ServiceUnavailable: down('Amazon is not available'),
};

/** `providerResponse` of a delivery log ("Viewing Amazon CloudWatch metrics and logs for SMS deliveries"). */
const deliveries: ErrorTable = {
  'Blocked as spam by phone carrier': content('the carrier takes it for spam'),
  'Destination is on a blocked list': content('Amazon blocks this destination'),
  'Invalid phone number': address('the number is not valid'),
  'Message body is invalid': content('the text is not valid'),
  'Phone carrier has blocked this message': content('the carrier blocked it'),
  'Phone carrier is currently unreachable/unavailable': transient('the carrier cannot be reached just now'),
  'Phone has blocked SMS': content('the phone takes no SMS'),
  'Phone is on a blocked list': content('the number is blocked'),
  'Phone is currently unreachable/unavailable': transient('the phone cannot be reached just now'),
  'Phone number is opted out': address('the number has opted out'),
  'This delivery would exceed max price': content('dearer than the highest price allowed'),
  'Unknown error attempting to reach phone': transient('the carrier gave no reason'),
};

/** `eventType` of AWS End User Messaging ("Event types for SMS, MMS and voice"). */
const events: ErrorTable = {
  TEXT_BLOCKED: content('the phone or Amazon blocks it'),
  TEXT_CARRIER_BLOCKED: content('the carrier blocked it'),
  TEXT_CARRIER_UNREACHABLE: transient('the carrier cannot be reached just now'),
  TEXT_INVALID: address('the number is not valid'),
  TEXT_INVALID_MESSAGE: content('the text is not valid'),
  TEXT_PROTECT_BLOCKED: content('the account’s protection blocks this country'),
  TEXT_SPAM: content('the carrier takes it for spam'),
  TEXT_TTL_EXPIRED: transient('it could not be delivered in time'),
  TEXT_UNREACHABLE: transient('the phone cannot be reached just now'),
  TEXT_UNKNOWN: transient('the carrier gave no reason'),
};

export const snsErrors: ErrorTable = { ...answers, ...deliveries, ...events };
