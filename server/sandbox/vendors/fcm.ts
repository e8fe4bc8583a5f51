import { createHmac, generateKeyPairSync } from 'node:crypto';
import { decodeJwt } from 'jose';
import type { Desk, Vendor, VendorAnswer, VendorRequest } from '../vendor.ts';
import { objectIn, objectOf, pushFate, textOf } from './push.rules.ts';

/**
 * Firebase Cloud Messaging, HTTP v1: `POST /token` (OAuth 2.0, RFC 7523) and `POST /v1/projects/{id}/messages:send`.
 *
 * Checked against: specs/fcm/fcm_v1.flatpath.openapi3.json, errors/fcm.json and payloads/fcm/error_responses.json of the
 * vendor contracts. Not played: topics, conditions, the quota's real size. The signature of an assertion is not judged (the
 * sandbox knows no service accounts), its claims are.
 */
export const fcm: Vendor = {
  name: 'fcm',
  accounts: [
    {
      kind: 'fcm',
      channel: 'push',
      title: 'Firebase Cloud Messaging',
      fields: () => ({ projectId: 'parley-sandbox', serviceAccount: serviceAccount() }),
    },
  ],
  handle: async (request, desk) => {
    if (request.method !== 'POST') return failure(404, 'NOT_FOUND', 'Requested entity was not found.');
    if (request.path === '/token') return giveToken(request, desk);
    const project = /^\/v1\/projects\/([^/]+)\/messages:send$/.exec(request.path)?.[1];
    if (project === undefined) return failure(404, 'NOT_FOUND', 'Requested entity was not found.');
    if (!isOwnToken(request, desk))
      return failure(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
    return takeMessage(request, desk, project);
  },
};

function serviceAccount(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return JSON.stringify({
    type: 'service_account',
    project_id: 'parley-sandbox',
    private_key_id: 'sandbox',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'push@parley-sandbox.iam.gserviceaccount.com',
    token_uri: 'https://oauth2.googleapis.com/token',
  });
}

const lifeSeconds = 3599;
const nowSeconds = (desk: Desk) => Math.floor(desk.clock.now().epochMilliseconds / 1000);

function sealOf(workspaceId: string, until: string, desk: Desk): string {
  return createHmac('sha256', desk.secret(workspaceId, 'fcm-token')).update(until).digest('base64url');
}

function giveToken(request: VendorRequest, desk: Desk): VendorAnswer {
  const form = new URLSearchParams(request.body.toString());
  const refuse = (error: string, error_description: string) => ({ status: 400, body: { error, error_description } });
  if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
    return refuse('unsupported_grant_type', 'Invalid grant_type');
  const now = nowSeconds(desk);
  try {
    const { iss, aud, scope, iat = 0, exp = 0 } = decodeJwt<{ scope?: string }>(form.get('assertion') ?? '');
    if (iss === undefined || !textOf(aud).endsWith('/token')) return refuse('invalid_grant', 'Invalid JWT claims.');
    if (iat > now + 60 || exp < now || exp > iat + 3600)
      return refuse('invalid_grant', 'Invalid JWT: Token must be a short-lived token (60 minutes)');
    if (scope?.includes('firebase.messaging') !== true) return refuse('invalid_scope', 'Invalid OAuth scope');
  } catch {
    return refuse('invalid_grant', 'Invalid JWT');
  }
  const until = String(now + lifeSeconds);
  const access_token = `ya29.${until}.${sealOf(request.workspaceId, until, desk)}`;
  return { status: 200, body: { access_token, expires_in: lifeSeconds, token_type: 'Bearer' } };
}

function isOwnToken({ headers, workspaceId }: VendorRequest, desk: Desk): boolean {
  const [, until = '', seal] = /^Bearer ya29\.(\d+)\.([\w-]+)$/.exec(headers['authorization'] ?? '') ?? [];
  return seal === sealOf(workspaceId, until, desk) && Number(until) > nowSeconds(desk);
}

const fcmError = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const badRequest = 'type.googleapis.com/google.rpc.BadRequest';

function failure(status: number, name: string, message: string, details: readonly object[] = []): VendorAnswer {
  return {
    status,
    body: { error: { code: status, message, status: name, ...(details.length === 0 ? {} : { details }) } },
  };
}

const ofFcm = (errorCode: string) => [{ '@type': fcmError, errorCode }];

function invalid(field: string, description: string): VendorAnswer {
  const details = [{ '@type': badRequest, fieldViolations: [{ field, description }] }];
  return failure(400, 'INVALID_ARGUMENT', description, details);
}

async function takeMessage(
  request: VendorRequest,
  desk: Desk,
  project: string,
): Promise<VendorAnswer | { readonly fate: 'quiet' }> {
  const asked = objectIn(request.body);
  const message = objectOf(asked?.['message']);
  if (message === undefined) return invalid('message', 'Invalid JSON payload received.');
  const ref = `projects/${project}/messages/0:${desk.clock.now().epochMilliseconds}%${desk.hex(16)}`;
  if (asked?.['validateOnly'] === true) return { status: 200, body: { name: ref } };
  const token = textOf(message['token']);
  if (token === '') return invalid('message', 'Exactly one of token, topic or condition must be set');
  const data = objectOf(message['data']) ?? {};
  const wrong = Object.entries(data).find(([, value]) => typeof value !== 'string');
  if (wrong !== undefined)
    return invalid(`message.data[0].value`, `Invalid value at 'message.data[0].value' (TYPE_STRING)`);
  if (request.body.length > 16_384) return invalid('message', 'Android message is too big');
  const fate = pushFate(desk.fateOf(request.workspaceId, token, 'fcm'));
  switch (fate.kind) {
    case 'gone':
      return gone(fate.code);
    case 'object':
      return invalid('message.notification', 'The sandbox objects to this message');
    case 'throttle': {
      const answer = failure(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded.', ofFcm('QUOTA_EXCEEDED'));
      return { ...answer, headers: { 'retry-after': String(fate.afterSeconds) } };
    }
    case 'fail':
      return fate.status === 503
        ? failure(503, 'UNAVAILABLE', 'The service is currently unavailable.', ofFcm('UNAVAILABLE'))
        : failure(fate.status, 'INTERNAL', 'Internal error encountered.', ofFcm('INTERNAL'));
    case 'quiet':
      return { fate: 'quiet' };
    case 'malformed':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Not what was asked for</html>' };
    case 'take':
      if (fate.afterMs > 0) await desk.clock.sleep(fate.afterMs);
      await desk.keep(request.workspaceId, mailOf(message, token, ref, request.body));
      return { status: 200, body: { name: ref } };
  }
}

function gone(code = 'UNREGISTERED'): VendorAnswer {
  if (code === 'INVALID_ARGUMENT')
    return failure(400, code, 'The registration token is not a valid FCM registration token', ofFcm(code));
  if (code === 'SENDER_ID_MISMATCH') return failure(403, 'PERMISSION_DENIED', 'SenderId mismatch', ofFcm(code));
  return failure(404, 'NOT_FOUND', 'Requested entity was not found.', ofFcm(code));
}

function mailOf(message: Readonly<Record<string, unknown>>, token: string, ref: string, raw: Buffer) {
  const notification = objectOf(message['notification']) ?? {};
  const data = objectOf(message['data']) ?? {};
  const [heading, text, image] = ['title', 'body', 'image'].map((name) => textOf(notification[name]));
  const [url, messageId] = [textOf(data['url']), textOf(data['parleyMessageId'])];
  return {
    channel: 'push' as const,
    vendor: 'fcm',
    to: token,
    title: heading ?? '',
    shown: {
      heading: heading ?? '',
      text: text ?? '',
      ...(image === undefined || image === '' ? {} : { pictures: [image] }),
      ...(url === '' ? {} : { url }),
    },
    ...(messageId === '' ? {} : { messageId }),
    ref,
    raw,
  };
}
