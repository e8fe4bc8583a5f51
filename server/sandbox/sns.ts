import { createHash, createSign, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock } from '../platform/clock.ts';
import { selfSigned } from './certificate.ts';

/**
 * Amazon SNS as the deliverer of events to an HTTP endpoint: envelopes signed with a certificate that lies at the played
 * vendor. Checked against contracts/payloads/sns/http_envelopes.json and signatures/aws_sns_message.json.
 */

export interface SnsAuthority {
  /** The last part of the certificate's address: `SimpleNotificationService-….pem`. */
  readonly certificateName: string;
  readonly certificate: string;
  /** The envelope with its signature (version 2). */
  sign(envelope: Readonly<Record<string, string>>): Record<string, string>;
}

const makeKeys = promisify(generateKeyPair);

/** Makes its key once; a restart makes another, with another name. */
export async function createSnsAuthority(clock: Pick<Clock, 'now'>): Promise<SnsAuthority> {
  const keys = await makeKeys('rsa', { modulusLength: 2048 });
  const now = clock.now();
  const certificate = selfSigned(keys, {
    commonName: 'sns.amazonaws.com',
    from: now.subtract({ hours: 24 }),
    until: now.add({ hours: 24 * 3650 }),
  });
  return {
    certificate,
    certificateName: `SimpleNotificationService-${createHash('sha256').update(certificate).digest('hex').slice(0, 32)}.pem`,
    sign: (envelope) => ({
      ...envelope,
      SignatureVersion: '2',
      Signature: createSign('RSA-SHA256')
        .update(signedText({ ...envelope }))
        .sign(keys.privateKey, 'base64'),
    }),
  };
}

function signedText(envelope: Readonly<Record<string, string>>): string {
  const names =
    envelope['Type'] === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  return names
    .filter((name) => envelope[name] !== undefined)
    .map((name) => `${name}\n${envelope[name] ?? ''}\n`)
    .join('');
}

/** The headers SNS sends with an envelope. */
export function snsHeaders(envelope: Readonly<Record<string, string>>): Record<string, string> {
  return {
    'content-type': 'text/plain; charset=UTF-8',
    'user-agent': 'Amazon Simple Notification Service Agent',
    'x-amz-sns-message-type': envelope['Type'] ?? '',
    'x-amz-sns-message-id': envelope['MessageId'] ?? '',
    'x-amz-sns-topic-arn': envelope['TopicArn'] ?? '',
  };
}

/** A notification about `message`, ready to post. */
export function snsNotification(
  authority: SnsAuthority,
  about: {
    readonly baseUrl: string;
    readonly topicArn: string;
    readonly messageId: string;
    readonly message: string;
    readonly at: Temporal.Instant;
  },
): Record<string, string> {
  return authority.sign({
    Type: 'Notification',
    MessageId: about.messageId,
    TopicArn: about.topicArn,
    Message: about.message,
    Timestamp: about.at.round('millisecond').toString({ fractionalSecondDigits: 3 }),
    SigningCertURL: `${about.baseUrl}/${authority.certificateName}`,
  });
}
