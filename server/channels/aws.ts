import { AwsV4Signer } from 'aws4fetch';
import type { Clock } from '../platform/clock.ts';

/** What Amazon's services have in common: where they are, and Signature Version 4. */

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string | undefined;
}

export interface AwsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Gives the headers to send: those of the request with `x-amz-date` and `authorization` (and the session's token). */
export type AwsSigner = (request: AwsRequest) => Promise<Readonly<Record<string, string>>>;

/** `us-east-1`, `eu-central-2`, `us-gov-west-1`, `cn-north-1`. */
export const awsRegion = /^[a-z]{2}(?:-[a-z]+){1,2}-\d{1,2}$/;

/** `https://sns.eu-west-1.amazonaws.com`; China has a domain of its own. */
export function awsBaseUrl(endpoint: string, region: string): string {
  return `https://${endpoint}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

/** Signs requests to one service in one region. The derived key of the day is kept, so that a request costs one MAC of it. */
export function createAwsSigner(
  credentials: AwsCredentials,
  scope: { readonly service: string; readonly region: string },
  clock: Pick<Clock, 'now'>,
): AwsSigner {
  const keys = new Map<string, ArrayBuffer>();
  let day = '';
  return async (request) => {
    const datetime = clock
      .now()
      .round('second')
      .toString()
      .replace(/[:-]|\.\d+/g, '');
    if (datetime.slice(0, 8) !== day) keys.clear();
    day = datetime.slice(0, 8);
    const signer = new AwsV4Signer({
      method: request.method,
      url: request.url,
      ...(request.headers === undefined ? {} : { headers: { ...request.headers } }),
      ...(request.body === undefined ? {} : { body: request.body }),
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken === undefined ? {} : { sessionToken: credentials.sessionToken }),
      ...scope,
      // The content's type belongs to what is signed; so does whatever else the caller sets.
      allHeaders: true,
      cache: keys,
      datetime,
    });
    const { headers } = await signer.sign();
    return Object.fromEntries(headers);
  };
}
