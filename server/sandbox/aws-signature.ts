import { AwsV4Signer } from 'aws4fetch';
import type { VendorRequest } from './vendor.ts';

export type AwsSignature = 'right' | 'missing' | 'unknown-key' | 'wrong';

/** Signs a request again with the secret (Signature Version 4), over the headers that the caller says it signed. */
export async function checkAwsSignature(
  request: VendorRequest,
  service: string,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
): Promise<AwsSignature> {
  const given = request.headers['authorization'] ?? '';
  const datetime = request.headers['x-amz-date'] ?? '';
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?/.exec(
      given,
    );
  if (parts === null || datetime === '') return 'missing';
  const [, key, region = '', named, names = ''] = parts;
  if (key !== credentials.accessKeyId) return 'unknown-key';
  if (named !== service) return 'wrong';
  const search = request.query.toString();
  const headers = names.split(';').filter((name) => name !== 'host' && name !== 'x-amz-date');
  const signer = new AwsV4Signer({
    method: request.method,
    url: `${request.baseUrl}${request.path}${search === '' ? '' : `?${search}`}`,
    headers: Object.fromEntries(headers.map((name) => [name, request.headers[name] ?? ''])),
    ...(request.body.length === 0 ? {} : { body: new Uint8Array(request.body) }),
    ...credentials,
    service,
    region,
    datetime,
    allHeaders: true,
  });
  return given.endsWith(`Signature=${await signer.signature()}`) ? 'right' : 'wrong';
}
