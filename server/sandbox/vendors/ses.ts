import { checkAwsSignature } from '../aws-signature.ts';
import { composeMail } from '../compose.rules.ts';
import { delayOf, fateOfRequest, looksLikeAddress, tellsAfterMs } from '../mail-fate.rules.ts';
import { createSnsAuthority, snsHeaders, snsNotification } from '../sns.ts';
import type { SnsAuthority } from '../sns.ts';
import type { CallbackDraft, Desk, Fate, KeptMail, Vendor, VendorAnswer, VendorRequest } from '../vendor.ts';
import { readBulk, readHeader, readRaw } from './ses.rules.ts';
import type { SesSending, SesTag } from './ses.rules.ts';

/**
 * Amazon SES, API v2: `SendEmail` (raw), `SendBulkEmail`, `GetAccount`, and events by way of SNS. Checked against botocore's
 * sesv2 model and its OpenAPI conversion, the SigV4 test suite, the payloads of the SES developer guide, and SNS's envelopes.
 */

export interface SentBySes {
  readonly to: string;
  readonly from: string;
  readonly messageId: string;
  readonly tags: readonly SesTag[];
  readonly fate: Fate;
}

export const sesRegion = 'eu-west-1';
export const sesTopicArn = `arn:aws:sns:${sesRegion}:123456789012:parley-sandbox`;
const most = 50;

export function createSesVendor(given?: SnsAuthority): Vendor {
  let made: Promise<SnsAuthority> | undefined = given && Promise.resolve(given);
  const authorityOf = (desk: Desk) => (made ??= createSnsAuthority(desk.clock));
  return {
    name: 'ses',
    accounts: [
      {
        kind: 'ses',
        channel: 'email',
        title: 'Amazon SES',
        fields: (workspaceId, desk) => ({
          region: sesRegion,
          configurationSet: 'parley-sandbox',
          topicArn: sesTopicArn,
          ...credentials(workspaceId, desk),
        }),
      },
    ],
    handle: async (request, desk) => {
      const route = `${request.method} ${request.path}`;
      const authority = await authorityOf(desk);
      if (route === `GET /${authority.certificateName}`)
        return { status: 200, headers: { 'content-type': 'application/x-pem-file' }, body: authority.certificate };
      const refused = await refusedSignature(request, desk);
      if (refused !== undefined) return refused;
      if (route === 'GET /v2/email/account') return { status: 200, body: account };
      if (route === 'POST /v2/email/outbound-emails') return sendEmail(request, desk, authority);
      if (route === 'POST /v2/email/outbound-bulk-emails') return sendBulk(request, desk, authority);
      return failure(404, 'UnknownOperationException', '');
    },
    act: async (mail, act, desk) => {
      const baseUrl = mail.memo?.['baseUrl'];
      if (mail.callbackUrl === undefined || baseUrl === undefined) return undefined;
      if (act.kind !== 'bounce' && act.kind !== 'complain') return undefined;
      const name = act.kind === 'bounce' ? 'Bounce' : 'Complaint';
      return sesCallback(await authorityOf(desk), { url: mail.callbackUrl, baseUrl }, sentOf(mail), name, desk, 0);
    },
  };
}

function sentOf({ to, from = '', ref, messageId }: KeptMail): SentBySes {
  const tags = messageId === undefined ? [] : [{ Name: 'parley-id', Value: messageId }];
  return { to, from, messageId: ref, tags, fate: { kind: 'catch' } };
}

const account = {
  SendingEnabled: true,
  ProductionAccessEnabled: true,
  EnforcementStatus: 'HEALTHY',
  DedicatedIpAutoWarmupEnabled: false,
  SendQuota: { Max24HourSend: 50_000, MaxSendRate: 500, SentLast24Hours: 0 },
};

function credentials(workspaceId: string, desk: Desk) {
  const letters = desk.secret(workspaceId, 'ses-key').toString('hex').toUpperCase();
  return {
    accessKeyId: `AKIA${letters.slice(0, 16)}`,
    secretAccessKey: desk.secret(workspaceId, 'ses-secret').toString('base64').slice(0, 40),
  };
}

function failure(status: number, name: string, message: string): VendorAnswer {
  return { status, headers: { 'x-amzn-errortype': `${name}:` }, body: { message } };
}

async function refusedSignature(request: VendorRequest, desk: Desk): Promise<VendorAnswer | undefined> {
  switch (await checkAwsSignature(request, 'ses', credentials(request.workspaceId, desk))) {
    case 'right':
      return undefined;
    case 'missing':
      return failure(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
    case 'unknown-key':
      return failure(403, 'UnrecognizedClientException', 'The security token included in the request is invalid.');
    case 'wrong':
      return failure(
        403,
        'InvalidSignatureException',
        'The request signature we calculated does not match the signature you provided.',
      );
  }
}

function answerOf(fate: NonNullable<ReturnType<typeof fateOfRequest>>): VendorAnswer | { readonly fate: 'quiet' } {
  switch (fate.kind) {
    case 'quiet':
      return { fate: 'quiet' };
    case 'malformed':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>hello</html>' };
    case 'throttle':
      return {
        ...failure(429, 'TooManyRequestsException', 'Maximum sending rate exceeded.'),
        headers: { 'x-amzn-errortype': 'TooManyRequestsException:', 'retry-after': String(fate.afterSeconds) },
      };
    case 'burst':
      return failure(
        fate.status,
        fate.status === 503 ? 'ServiceUnavailable' : 'InternalFailure',
        'Service unavailable.',
      );
  }
}

async function sendEmail(
  request: VendorRequest,
  desk: Desk,
  authority: SnsAuthority,
): Promise<VendorAnswer | { readonly fate: 'quiet' }> {
  const sending = readRaw(request.body);
  if (sending === undefined) return failure(400, 'BadRequestException', 'Missing or malformed content');
  const [, domain = ''] = sending.to.split('@');
  if (!looksLikeAddress(sending.to))
    return failure(
      400,
      'BadRequestException',
      domain === '' ? "Missing final '@domain'" : 'Domain contains illegal character',
    );
  const fate = desk.fateOf(request.workspaceId, sending.to, 'ses');
  if (fate.kind === 'refuse') return failure(400, 'BadRequestException', "Missing final '@domain'");
  const befallen = fateOfRequest([fate]);
  if (befallen !== undefined) return answerOf(befallen);
  const waitMs = delayOf([fate]);
  if (waitMs > 0) await desk.clock.sleep(waitMs);
  return { status: 200, body: { MessageId: await take(request, desk, authority, sending, fate) } };
}

async function sendBulk(
  request: VendorRequest,
  desk: Desk,
  authority: SnsAuthority,
): Promise<VendorAnswer | { readonly fate: 'quiet' }> {
  const sendings = readBulk(request.body, {
    compose: (parts) => composeMail({ ...parts, date: desk.clock.now(), boundary: `ses-${desk.hex(24)}` }),
  });
  if (sendings === undefined) return failure(400, 'BadRequestException', 'Missing or malformed template content');
  if (sendings.length > most) return failure(400, 'BadRequestException', `At most ${most} entries are allowed`);
  const fates = sendings.map(({ to }) => desk.fateOf(request.workspaceId, to, 'ses'));
  const befallen = fateOfRequest(fates);
  if (befallen !== undefined) return answerOf(befallen);
  const waitMs = delayOf(fates);
  if (waitMs > 0) await desk.clock.sleep(waitMs);
  const results: object[] = [];
  for (const [place, sending] of sendings.entries()) {
    const fate = fates[place] ?? { kind: 'catch' };
    const isRefused = fate.kind === 'refuse' || !looksLikeAddress(sending.to);
    results.push(
      isRefused
        ? { Status: 'INVALID_PARAMETER', Error: "Missing final '@domain'" }
        : { Status: 'SUCCESS', MessageId: await take(request, desk, authority, sending, fate) },
    );
  }
  return { status: 200, body: { BulkEmailEntryResults: results } };
}

async function take(
  request: VendorRequest,
  desk: Desk,
  authority: SnsAuthority,
  { to, raw, tags }: SesSending,
  fate: Fate,
): Promise<string> {
  const { workspaceId, callbackUrl: url, baseUrl } = request;
  const uuid = desk.hex(32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const messageId = `0102${desk.hex(12)}-${uuid}-000000`;
  const from = readHeader(raw, 'From');
  const ours = tags.find(({ Name }) => Name === 'parley-id')?.Value;
  await desk.keep(workspaceId, {
    channel: 'email',
    vendor: 'ses',
    to,
    from,
    title: readHeader(raw, 'Subject'),
    ...(ours === undefined ? {} : { messageId: ours }),
    ref: messageId,
    memo: { baseUrl },
    raw,
  });
  const sent: SentBySes = { to, from, messageId, tags, fate };
  if (url === undefined) return messageId;
  const tell = (name: string, afterMs: number) =>
    desk.later(workspaceId, sesCallback(authority, { url, baseUrl }, sent, name, desk, afterMs));
  tell('Send', tellsAfterMs.taken);
  tell(fate.kind === 'bounce' || fate.kind === 'block' ? 'Bounce' : 'Delivery', tellsAfterMs.delivered);
  if (fate.kind === 'complain') tell('Complaint', tellsAfterMs.complained);
  return messageId;
}

/** One event about one message, in its envelope, signed as of `afterMs` from now. */
export function sesCallback(
  authority: SnsAuthority,
  where: { readonly url: string; readonly baseUrl: string },
  sent: SentBySes,
  name: string,
  desk: Desk,
  afterMs: number,
): CallbackDraft {
  const at = desk.clock.now().add({ milliseconds: afterMs });
  const envelope = snsNotification(authority, {
    baseUrl: where.baseUrl,
    topicArn: sesTopicArn,
    messageId: desk.hex(32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    message: JSON.stringify(eventOf(sent, name, at)),
    at,
  });
  return { afterMs, method: 'POST', url: where.url, headers: snsHeaders(envelope), body: JSON.stringify(envelope) };
}

function eventOf(sent: SentBySes, name: string, instant: Temporal.Instant): object {
  const at = instant.toString({ fractionalSecondDigits: 3 });
  const mail = {
    timestamp: at,
    source: sent.from,
    sendingAccountId: '123456789012',
    messageId: sent.messageId,
    destination: [sent.to],
    tags: Object.fromEntries(sent.tags.map(({ Name, Value }) => [Name, [Value]])),
  };
  return { eventType: name, mail, [name.toLowerCase()]: aboutOf(sent, name, at) };
}

function aboutOf({ to, fate, messageId }: SentBySes, name: string, timestamp: string): object {
  const feedbackId = `${messageId.slice(0, 16)}-feedback-000000`;
  switch (name) {
    case 'Bounce': {
      const isBlock = fate.kind === 'block';
      const recipient = isBlock
        ? { emailAddress: to, action: 'failed', status: '5.7.1', diagnosticCode: 'smtp; 550 5.7.1 refused as spam' }
        : { emailAddress: to, action: 'failed', status: '5.1.1', diagnosticCode: 'smtp; 550 5.1.1 user unknown' };
      const type = isBlock
        ? { bounceType: 'Transient', bounceSubType: 'ContentRejected' }
        : { bounceType: 'Permanent', bounceSubType: 'General' };
      return { ...type, bouncedRecipients: [recipient], timestamp, feedbackId };
    }
    case 'Complaint':
      return { complainedRecipients: [{ emailAddress: to }], timestamp, feedbackId, complaintFeedbackType: 'abuse' };
    case 'Delivery':
      return { timestamp, processingTimeMillis: 546, recipients: [to], smtpResponse: '250 2.6.0 Message received' };
    default:
      return {};
  }
}
