import { createECDH, createPrivateKey, createPublicKey } from 'node:crypto';
import { jwtVerify } from 'jose';
import type { Desk, Vendor, VendorAnswer, VendorRequest } from '../vendor.ts';
import { objectIn, objectOf, pushFate, textOf } from './push.rules.ts';

/**
 * Apple Push Notification service: `POST /3/device/{token}` over HTTP/2 without TLS. The key of an account that the sandbox
 * sets up is derived for its workspace, so that provider tokens are judged as Apple does: signature, age, team.
 *
 * Checked against: errors/apns.json of the vendor contracts (reasons with their statuses, bodies, `apns-id`), and Apple's
 * page on sending notification requests. Not played: certificates, other push types than `alert`, one stream before sign-in.
 */
export const apns: Vendor = {
  name: 'apns',
  accounts: [
    {
      kind: 'apns',
      channel: 'push',
      title: 'Apple Push Notification service',
      fields: (workspaceId, desk) => ({
        teamId,
        keyId,
        topic: 'com.example.sandbox',
        environment: 'development',
        privateKey: keyOf(workspaceId, desk).export({ type: 'pkcs8', format: 'pem' }).toString(),
      }),
    },
  ],
  handle: async (request, desk) => {
    const id =
      request.headers['apns-id'] ?? `${desk.hex(8)}-${desk.hex(4)}-4${desk.hex(3)}-8${desk.hex(3)}-${desk.hex(12)}`;
    const answer = await judge(request, desk, id);
    if ('fate' in answer) return answer;
    // What is malformed is not APNs's own.
    return answer.headers?.['content-type'] === 'text/html'
      ? answer
      : { ...answer, headers: { 'apns-id': id, ...answer.headers } };
  },
};

const teamId = 'SANDBOX000';
const keyId = 'SANDBOXKEY';

function keyOf(workspaceId: string, desk: Desk) {
  const d = desk.secret(workspaceId, 'apns-key');
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(d);
  const point = pair.getPublicKey();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const jwk = { kty: 'EC', crv: 'P-256', d: d.toString('base64url'), x: x ?? '', y: y ?? '' };
  return createPrivateKey({ key: jwk, format: 'jwk' });
}

const refusal = (status: number, reason: string, more: object = {}): VendorAnswer => ({
  status,
  body: { reason, ...more },
});

async function judge(
  request: VendorRequest,
  desk: Desk,
  id: string,
): Promise<VendorAnswer | { readonly fate: 'quiet' }> {
  const { headers, body, workspaceId } = request;
  const token = /^\/3\/device\/([^/]*)$/.exec(request.path)?.[1];
  if (token === undefined) return refusal(404, 'BadPath');
  if (request.method !== 'POST') return refusal(405, 'MethodNotAllowed');
  const stranger = await strangerReason(request, desk);
  if (stranger !== undefined) return refusal(403, stranger);
  const wrong = headerProblem(headers) ?? (token === '' ? 'MissingDeviceToken' : undefined);
  if (wrong !== undefined) return refusal(400, wrong);
  if (body.length === 0) return refusal(400, 'PayloadEmpty');
  if (body.length > 4096) return refusal(413, 'PayloadTooLarge');
  if (!/^(?:[0-9a-f]{2}){16,100}$/i.test(token) || /^0+$/.test(token)) return refusal(400, 'BadDeviceToken');
  const fate = pushFate(desk.fateOf(workspaceId, token, 'apns'));
  switch (fate.kind) {
    case 'gone':
      return fate.code === undefined || fate.code === 'Unregistered'
        ? refusal(410, 'Unregistered', { timestamp: desk.clock.now().epochMilliseconds })
        : refusal(fate.code === 'ExpiredToken' ? 410 : 400, fate.code);
    case 'object':
      return refusal(413, 'PayloadTooLarge');
    case 'throttle':
      return { ...refusal(429, 'TooManyRequests'), headers: { 'retry-after': String(fate.afterSeconds) } };
    case 'fail':
      return refusal(fate.status, fate.status === 503 ? 'ServiceUnavailable' : 'InternalServerError');
    case 'quiet':
      return { fate: 'quiet' };
    case 'malformed':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Not what was asked for</html>' };
    case 'take':
      if (fate.afterMs > 0) await desk.clock.sleep(fate.afterMs);
      await desk.keep(workspaceId, mailOf(token, id, body));
      return { status: 200 };
  }
}

/** Why the provider token is not let in; undefined when it is. */
async function strangerReason({ headers, workspaceId }: VendorRequest, desk: Desk): Promise<string | undefined> {
  const jwt = /^bearer (.+)$/i.exec(headers['authorization'] ?? '')?.[1];
  if (jwt === undefined) return 'MissingProviderToken';
  const currentDate = new Date(desk.clock.now().epochMilliseconds);
  try {
    const key = createPublicKey(keyOf(workspaceId, desk));
    const { payload, protectedHeader } = await jwtVerify(jwt, key, { algorithms: ['ES256'], currentDate });
    if (protectedHeader.kid !== keyId || payload.iss !== teamId) return 'InvalidProviderToken';
    const ageSeconds = currentDate.getTime() / 1000 - (payload.iat ?? 0);
    return ageSeconds > 3600 ? 'ExpiredProviderToken' : undefined;
  } catch {
    return 'InvalidProviderToken';
  }
}

function headerProblem(headers: VendorRequest['headers']): string | undefined {
  const id = headers['apns-id'];
  if (id !== undefined && !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return 'BadMessageId';
  if (headers['apns-topic'] === undefined) return 'MissingTopic';
  if (headers['apns-push-type'] !== 'alert') return 'InvalidPushType';
  if (!['1', '5', '10', undefined].includes(headers['apns-priority'])) return 'BadPriority';
  if (!/^\d*$/.test(headers['apns-expiration'] ?? '')) return 'BadExpirationDate';
  return (headers['apns-collapse-id'] ?? '').length > 64 ? 'BadCollapseId' : undefined;
}

function mailOf(token: string, ref: string, raw: Buffer) {
  const payload = objectIn(raw) ?? {};
  const alert = objectOf(objectOf(payload['aps'])?.['alert']) ?? {};
  const [heading, text] = [textOf(alert['title']), textOf(alert['body'])];
  const [image, url] = [textOf(payload['imageUrl']), textOf(payload['url'])];
  return {
    channel: 'push' as const,
    vendor: 'apns',
    to: token,
    title: heading,
    shown: { heading, text, ...(image === '' ? {} : { pictures: [image] }), ...(url === '' ? {} : { url }) },
    messageId: ref,
    ref,
    raw,
  };
}
