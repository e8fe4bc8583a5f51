import { malformedResult, refusalResult } from '../../outcome.rules.ts';
import type { ErrorTable, OutgoingSms, SendResult } from '../../port.ts';
import { senderKind } from '../sender.rules.ts';
import { snsErrors } from './errors.rules.ts';

/** The Query protocol of Amazon SNS: requests are forms, answers XML (botocore, sns/2010-03-31). */

interface Attribute {
  readonly name: string;
  readonly type: 'String' | 'Number';
  readonly value: string;
}

/** Pure: the form of Publish. */
export function publishForm(
  message: OutgoingSms,
  from: string | undefined,
  maxPrice: number | null,
): readonly (readonly [string, string])[] {
  const attributes: Attribute[] = [
    {
      name: 'AWS.SNS.SMS.SMSType',
      type: 'String',
      value: message.category === 'marketing' ? 'Promotional' : 'Transactional',
    },
  ];
  if (from !== undefined) {
    const name = senderKind(from) === 'name' ? 'AWS.SNS.SMS.SenderID' : 'AWS.MM.SMS.OriginationNumber';
    attributes.push({ name, type: 'String', value: from });
  }
  if (maxPrice !== null) attributes.push({ name: 'AWS.SNS.SMS.MaxPrice', type: 'Number', value: maxPrice.toFixed(2) });
  return [
    ['Action', 'Publish'],
    ['Version', '2010-03-31'],
    ['PhoneNumber', message.to],
    ['Message', message.text],
    ...attributes.flatMap(({ name, type, value }, index) => {
      const entry = `MessageAttributes.entry.${index + 1}`;
      return [
        [`${entry}.Name`, name],
        [`${entry}.Value.DataType`, type],
        [`${entry}.Value.StringValue`, value],
      ] as const;
    }),
  ];
}

export interface SnsSaid {
  readonly status: number;
  readonly body: Buffer;
  readonly afterMs?: number | undefined;
  readonly to: string;
}

/** Pure: the outcome of Publish. */
export function publishResult({ status, body, afterMs, to }: SnsSaid): SendResult {
  const text = body.toString('utf8');
  if (status >= 200 && status < 300) {
    const ref = text.includes('<PublishResponse') ? elementOf(text, 'MessageId') : undefined;
    return ref === undefined || !/^[0-9a-f-]{36}$/.test(ref)
      ? malformedResult(status, 'without the id of a message')
      : { kind: 'accepted', ref };
  }
  const error = readError(text);
  if (error === undefined) {
    const wait = afterMs === undefined ? {} : { afterMs };
    return status === 429
      ? refusalResult(snsErrors, { code: '429', reason: 'too many requests', status, ...wait })
      : malformedResult(status, 'not an answer of Amazon SNS');
  }
  // One code for all parameters: the number is the recipient's matter, the rest the message's.
  const isNumber = error.code.startsWith('InvalidParameter') && /\bPhoneNumber\b/.test(error.message);
  const errors: ErrorTable = isNumber
    ? { [error.code]: { category: 'address', meaning: 'the number is not valid' } }
    : snsErrors;
  return refusalResult(errors, {
    code: error.code,
    reason: error.message,
    status,
    ...(afterMs === undefined ? {} : { afterMs }),
    addresses: [to],
  });
}

/** Pure: `<ErrorResponse><Error><Code>…`; undefined for what is not one. */
export function readError(text: string): { readonly code: string; readonly message: string } | undefined {
  if (!text.includes('<ErrorResponse')) return undefined;
  const code = elementOf(text, 'Code');
  return code === undefined || code === '' ? undefined : { code, message: elementOf(text, 'Message') ?? '' };
}

/** The text of the first element of a name. The protocol's answers are flat and have no CDATA, so that no parser is needed. */
function elementOf(xml: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return found
    ?.replace(/&(lt|gt|quot|apos|amp);/g, (_whole, entity: string) => entities[entity] ?? '')
    .replace(/&#(\d{1,7});/g, (whole, digits: string) => {
      const point = Number(digits);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    })
    .trim();
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
