import { systemClock } from '../../../platform/clock.ts';
import { createSnsAuthority, snsHeaders, snsNotification } from '../../../sandbox/sns.ts';
import type { Callback, ProviderAccount } from '../../port.ts';
import type { ProviderContract } from '../../testing-contract.ts';
import { accountId, callbackUrl, playedNumber, sms, startPlaying, workspaceId } from '../testing.ts';
import type { PlayedAnswer, PlayedRequest } from '../testing.ts';
import { snsSecrets, snsSettings } from './settings.ts';

export const topicArn = 'arn:aws:sns:eu-west-1:123456789012:parley';
export const snsMessageId = '862a8790-60c0-4430-9b2b-658bdeadbeef';
/** What signs the envelopes of the played vendor, which serves its certificate. */
export const authority = await createSnsAuthority(systemClock);
const requestId = '<RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId>';
const xmlns = 'xmlns="http://sns.amazonaws.com/doc/2010-03-31/"';

export function snsAccount(origin: string, change: object = {}): ProviderAccount {
  return {
    workspaceId,
    id: accountId,
    revision: 1,
    settings: snsSettings.parse({
      region: 'eu-west-1',
      accessKeyId: 'AKIDEXAMPLEEXAMPLE12',
      senders: [{ country: null, from: 'Acme' }],
      topicArn,
      baseUrl: origin,
      ...change,
    }),
    secrets: snsSecrets.parse({ secretAccessKey: 'secret-of-acme' }),
  };
}

const xml = (status: number, body: string): PlayedAnswer => ({ status, headers: { 'content-type': 'text/xml' }, body });

export function snsError(status: number, code: string, message: string): PlayedAnswer {
  const type = status >= 500 ? 'Receiver' : 'Sender';
  const error = `<Error><Type>${type}</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return xml(status, `<ErrorResponse ${xmlns}>\n${error}${requestId}</ErrorResponse>`);
}

export function snsAnswers(request: PlayedRequest): PlayedAnswer {
  const metadata = `<ResponseMetadata>${requestId}</ResponseMetadata>`;
  if (request.body.includes('Action=GetSMSAttributes')) {
    const result = '<GetSMSAttributesResult><attributes/></GetSMSAttributesResult>';
    return xml(200, `<GetSMSAttributesResponse ${xmlns}>${result}${metadata}</GetSMSAttributesResponse>`);
  }
  const result = `<PublishResult><MessageId>${snsMessageId}</MessageId></PublishResult>`;
  return xml(200, `<PublishResponse ${xmlns}>\n${result}\n${metadata}</PublishResponse>`);
}

/** An event in an envelope, signed. */
export function snsCallback(
  account: ProviderAccount,
  event: object,
  at: Temporal.Instant,
  envelopeId: string,
): Callback {
  const envelope = snsNotification(authority, {
    baseUrl: String(account.settings['baseUrl']),
    topicArn,
    messageId: envelopeId,
    message: JSON.stringify(event),
    at,
  });
  return {
    method: 'POST',
    url: callbackUrl('sns', account.id),
    headers: snsHeaders(envelope),
    body: Buffer.from(JSON.stringify(envelope)),
  };
}

export const contract: ProviderContract = {
  kind: 'sns',
  start: () =>
    startPlaying((play, request) => {
      if (request.path === `/${authority.certificateName}`) return { status: 200, body: authority.certificate };
      switch (play) {
        case 'accept':
          return snsAnswers(request);
        case 'refuse-address':
          return snsError(
            400,
            'InvalidParameter',
            `Invalid parameter: PhoneNumber Reason: ${playedNumber} is not valid to publish to`,
          );
        case 'refuse-content':
          return snsError(400, 'InvalidParameter', 'Invalid parameter: Message too long');
        case 'refuse-account':
          return snsError(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.');
        case 'throttle':
          return { ...snsError(400, 'Throttling', 'Rate exceeded'), headers: { 'retry-after': '7' } };
        case 'down':
          return snsError(500, 'InternalError', 'An internal error occurred');
        case 'malformed':
          return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Welcome to the Wi-Fi</html>' };
      }
    }, snsAccount),
  message: (messageId) => sms({ messageId }),
  callbacks: (account, { ref, at }) =>
    (['TEXT_QUEUED', 'TEXT_SENT', 'TEXT_DELIVERED'] as const).map((eventType, index) => ({
      receipt: (['accepted', 'sent', 'delivered'] as const)[index] ?? 'accepted',
      callback: snsCallback(
        account,
        {
          eventType,
          eventVersion: '1.0',
          eventTimestamp: at.epochMilliseconds,
          isFinal: eventType === 'TEXT_DELIVERED',
          destinationPhoneNumber: playedNumber,
          messageId: ref,
          messageStatus: eventType.slice(5),
          totalMessageParts: 1,
        },
        at,
        `22b80b92-fdea-4c2c-8f9d-bdfb0c7bf32${index}`,
      ),
    })),
  without: {
    'look-up': 'Amazon SNS has no list of what it sent, and keeps no id of ours.',
  },
};
