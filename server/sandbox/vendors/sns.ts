import { checkAwsSignature } from '../aws-signature.ts';
import { endOf, partsOf, smsTellsAfterMs, uuidOf } from '../sms.rules.ts';
import { createSnsAuthority, snsHeaders, snsNotification } from '../sns.ts';
import type { SnsAuthority } from '../sns.ts';
import type { CallbackDraft, Desk, Fate, KeptMail, Vendor, VendorAnswer, VendorRequest } from '../vendor.ts';

/**
 * Amazon SNS for SMS: `Publish` and `GetSMSAttributes` of the Query protocol with Signature Version 4, and the events of AWS
 * End User Messaging as SNS notifications with a certificate of its own. Checked against botocore's sns/2010-03-31 and
 * pinpoint-sms-voice-v2, errors/sns_sms.json, and payloads/sns. Events go to the account's address: it is taken as subscribed.
 */

const region = 'eu-west-1';
export const snsTopicArn = `arn:aws:sns:${region}:123456789012:parley-sandbox-sms`;
const ownNumber = '+12065550152';

export function createSnsVendor(given?: SnsAuthority): Vendor {
  let made: Promise<SnsAuthority> | undefined = given && Promise.resolve(given);
  const authorityOf = (desk: Desk) => (made ??= createSnsAuthority(desk.clock));
  return {
    name: 'sns',
    accounts: [
      {
        kind: 'sns',
        channel: 'sms',
        title: 'Amazon SNS',
        fields: (workspaceId, desk) => ({
          region,
          senders: [{ country: null, from: ownNumber }],
          topicArn: snsTopicArn,
          ...credentials(workspaceId, desk),
        }),
      },
    ],
    handle: async (request, desk) => {
      const authority = await authorityOf(desk);
      if (request.method === 'GET' && request.path === `/${authority.certificateName}`)
        return { status: 200, headers: { 'content-type': 'application/x-pem-file' }, body: authority.certificate };
      const refused = await refusedSignature(request, desk);
      if (refused !== undefined) return refused;
      const form = new URLSearchParams(request.body.toString('utf8'));
      switch (form.get('Action')) {
        case 'GetSMSAttributes':
          return result('GetSMSAttributes', '<attributes/>', desk);
        case 'Publish':
          return publish(request, form, authority, desk);
        default:
          return failure(400, 'InvalidAction', 'Could not find operation', desk);
      }
    },
    act: async (mail, act, desk) => {
      const authority = await authorityOf(desk);
      switch (act.kind) {
        case 'bounce':
          return eventDraft(authority, mail, 'TEXT_INVALID', 0, desk);
        case 'complain':
          return inboundDraft(authority, mail, 'STOP', 0, desk);
        case 'reply':
          return inboundDraft(authority, mail, act.text, 0, desk);
        case 'read':
          return undefined;
      }
    },
  };
}

function credentials(workspaceId: string, desk: Desk) {
  const letters = desk.secret(workspaceId, 'sns-key').toString('hex').toUpperCase();
  return {
    accessKeyId: `AKIA${letters.slice(0, 16)}`,
    secretAccessKey: desk.secret(workspaceId, 'sns-secret').toString('base64').slice(0, 40),
  };
}

// --- the Query protocol ---------------------------------------------------------------------------------------------

type Answer = VendorAnswer | { readonly fate: 'quiet' };

const xmlns = 'xmlns="http://sns.amazonaws.com/doc/2010-03-31/"';
const xml = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): VendorAnswer => ({
  status,
  headers: { 'content-type': 'text/xml', ...headers },
  body,
});
const requestId = (desk: Desk) => `<RequestId>${uuidOf(desk.hex(32))}</RequestId>`;

function result(action: string, inner: string, desk: Desk): VendorAnswer {
  const metadata = `<ResponseMetadata>${requestId(desk)}</ResponseMetadata>`;
  return xml(
    200,
    `<${action}Response ${xmlns}>\n  <${action}Result>${inner}</${action}Result>\n  ${metadata}\n</${action}Response>`,
  );
}

function failure(status: number, code: string, message: string, desk: Desk): VendorAnswer {
  const type = status >= 500 ? 'Receiver' : 'Sender';
  const escaped = message.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  const error = `<Error><Type>${type}</Type><Code>${code}</Code><Message>${escaped}</Message></Error>`;
  return xml(status, `<ErrorResponse ${xmlns}>\n  ${error}\n  ${requestId(desk)}\n</ErrorResponse>`);
}

async function refusedSignature(request: VendorRequest, desk: Desk): Promise<VendorAnswer | undefined> {
  switch (await checkAwsSignature(request, 'sns', credentials(request.workspaceId, desk))) {
    case 'right':
      return undefined;
    case 'missing':
      return failure(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token', desk);
    case 'unknown-key':
      return failure(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.', desk);
    case 'wrong':
      return failure(
        403,
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided.',
        desk,
      );
  }
}

// --- sending --------------------------------------------------------------------------------------------------------

async function publish(
  request: VendorRequest,
  form: URLSearchParams,
  authority: SnsAuthority,
  desk: Desk,
): Promise<Answer> {
  const { workspaceId } = request;
  const [to, text] = [form.get('PhoneNumber') ?? '', form.get('Message') ?? ''];
  const attributes = attributesOf(form);
  const problem = problemOf(to, text, attributes);
  if (problem !== undefined) return failure(400, 'InvalidParameter', `Invalid parameter: ${problem}`, desk);
  const fate = desk.fateOf(workspaceId, to, 'sns');
  if (fate.kind === 'quiet') return { fate: 'quiet' };
  if (fate.kind === 'slow') await desk.clock.sleep(fate.ms);
  const refused = refusedBy(fate, to, desk);
  if (refused !== undefined) return refused;
  const ref = uuidOf(desk.hex(32));
  const mail = {
    channel: 'sms',
    vendor: 'sns',
    to,
    from: attributes.get('AWS.SNS.SMS.SenderID') ?? attributes.get('AWS.MM.SMS.OriginationNumber') ?? ownNumber,
    title: text.slice(0, 80),
    shown: { text },
    ref,
    raw: request.body,
    memo: { baseUrl: request.baseUrl, parts: String(partsOf(text)) },
  } as const;
  await desk.keep(workspaceId, mail);
  const kept: KeptMail = {
    ...mail,
    workspaceId,
    ...(request.callbackUrl === undefined ? {} : { callbackUrl: request.callbackUrl }),
  };
  for (const draft of storyOf(authority, kept, fate, desk)) desk.later(workspaceId, draft);
  return result('Publish', `<MessageId>${ref}</MessageId>`, desk);
}

/** `MessageAttributes.entry.N.Name` and `.Value.StringValue`. */
function attributesOf(form: URLSearchParams): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (let index = 1; index <= 20; index++) {
    const entry = `MessageAttributes.entry.${index}`;
    const name = form.get(`${entry}.Name`);
    if (name === null) break;
    if (form.has(`${entry}.Value.DataType`)) attributes.set(name, form.get(`${entry}.Value.StringValue`) ?? '');
  }
  return attributes;
}

function problemOf(to: string, text: string, attributes: ReadonlyMap<string, string>): string | undefined {
  if (!/^\+?[1-9]\d{6,14}$/.test(to)) return `PhoneNumber Reason: ${to} is not valid to publish to`;
  if (text === '') return 'Empty message';
  if (text.length > 1600) return 'Message too long';
  const type = attributes.get('AWS.SNS.SMS.SMSType') ?? 'Promotional';
  if (type !== 'Promotional' && type !== 'Transactional') return 'AWS.SNS.SMS.SMSType Reason: invalid value';
  const sender = attributes.get('AWS.SNS.SMS.SenderID');
  if (sender !== undefined && !/^(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}$/.test(sender))
    return 'AWS.SNS.SMS.SenderID Reason: invalid value';
  const price = attributes.get('AWS.SNS.SMS.MaxPrice');
  if (price !== undefined && !(Number(price) > 0)) return 'AWS.SNS.SMS.MaxPrice Reason: invalid value';
  return undefined;
}

function refusedBy(fate: Fate, to: string, desk: Desk): VendorAnswer | undefined {
  switch (fate.kind) {
    case 'refuse':
      return failure(
        400,
        'InvalidParameter',
        `Invalid parameter: PhoneNumber Reason: ${to} is not valid to publish to`,
        desk,
      );
    case 'throttle':
      // Amazon names no time to wait.
      return failure(400, 'Throttling', 'Rate exceeded', desk);
    case 'burst':
      return fate.status === 503
        ? failure(503, 'ServiceUnavailable', 'Service is unavailable', desk)
        : failure(fate.status, 'InternalError', 'An internal error occurred', desk);
    case 'malformed':
      return xml(200, '<html><title>Error</title></html>');
    case 'catch':
    case 'slow':
    case 'quiet':
    case 'bounce':
    case 'block':
    case 'complain':
      return undefined;
  }
}

/** What End User Messaging tells of a message as it goes. Who complains does it by a STOP. */
function storyOf(authority: SnsAuthority, mail: KeptMail, fate: Fate, desk: Desk): readonly CallbackDraft[] {
  const after = smsTellsAfterMs;
  const end = endOf(fate);
  const bad = ('code' in fate ? fate.code : undefined) ?? (end === 'bounced' ? 'TEXT_INVALID' : 'TEXT_CARRIER_BLOCKED');
  const drafts = [
    eventDraft(authority, mail, 'TEXT_QUEUED', after.queued, desk),
    eventDraft(authority, mail, 'TEXT_SENT', after.sent, desk),
    end === 'delivered'
      ? eventDraft(authority, mail, 'TEXT_DELIVERED', after.delivered, desk)
      : eventDraft(authority, mail, bad, after.failed, desk),
    fate.kind === 'complain' ? inboundDraft(authority, mail, 'STOP', after.answered, desk) : undefined,
  ];
  return drafts.filter((draft) => draft !== undefined);
}

// --- events ---------------------------------------------------------------------------------------------------------

const descriptions: Readonly<Record<string, string>> = {
  TEXT_QUEUED: 'Message has been queued',
  TEXT_SENT: 'Message has been sent to the phone carrier',
  TEXT_DELIVERED: 'Message has been accepted by phone',
  TEXT_INVALID: 'Invalid phone number',
  TEXT_CARRIER_BLOCKED: 'Phone carrier has blocked this message',
};

function eventDraft(
  authority: SnsAuthority,
  mail: KeptMail,
  eventType: string,
  afterMs: number,
  desk: Desk,
): CallbackDraft | undefined {
  const at = desk.clock.now().add({ milliseconds: afterMs });
  return draft(authority, mail, afterMs, desk, {
    eventType,
    eventVersion: '1.0',
    eventTimestamp: at.epochMilliseconds,
    isFinal: eventType !== 'TEXT_QUEUED' && eventType !== 'TEXT_SENT',
    originationPhoneNumber: mail.from ?? ownNumber,
    destinationPhoneNumber: mail.to,
    isInternationalSend: false,
    messageId: mail.ref,
    messageEncoding: 'GSM',
    messageType: 'TRANSACTIONAL',
    messageStatus: eventType.slice('TEXT_'.length),
    messageStatusDescription: descriptions[eventType] ?? 'Unknown error attempting to reach phone',
    totalMessageParts: Number(mail.memo?.['parts'] ?? 1),
    totalMessagePrice: 0.00645,
    totalCarrierFee: 0,
  });
}

function inboundDraft(
  authority: SnsAuthority,
  mail: KeptMail,
  text: string,
  afterMs: number,
  desk: Desk,
): CallbackDraft | undefined {
  return draft(authority, mail, afterMs, desk, {
    originationNumber: mail.to,
    destinationNumber: mail.from ?? ownNumber,
    messageKeyword: 'KEYWORD_123456789012',
    messageBody: text,
    inboundMessageId: uuidOf(desk.hex(32)),
    previousPublishedMessageId: mail.ref,
  });
}

function draft(
  authority: SnsAuthority,
  mail: KeptMail,
  afterMs: number,
  desk: Desk,
  event: object,
): CallbackDraft | undefined {
  const baseUrl = mail.memo?.['baseUrl'];
  if (mail.callbackUrl === undefined || baseUrl === undefined) return undefined;
  const envelope = snsNotification(authority, {
    baseUrl,
    topicArn: snsTopicArn,
    messageId: uuidOf(desk.hex(32)),
    message: JSON.stringify(event),
    at: desk.clock.now().add({ milliseconds: afterMs }),
  });
  return {
    afterMs,
    method: 'POST',
    url: mail.callbackUrl,
    headers: snsHeaders(envelope),
    body: JSON.stringify(envelope),
  };
}
