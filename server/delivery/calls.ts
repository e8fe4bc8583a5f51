import { messageGiven } from '../../contract/messages.ts';
import type { MessageGiven, sendWithConsent } from '../../contract/messages.ts';
import type { ResponseOf } from '../../contract/endpoint.ts';
import type { Tx } from '../platform/db.ts';
import type { AppError } from '../platform/errors.ts';
import type { Call, GroupOutcome } from '../platform/http.ts';
import { fieldProblems, invalidInput, problemDocument } from '../platform/http-problems.ts';
import type { Asked } from './intend.ts';
import type { SendDeps } from './ports.ts';
import { send } from './send.ts';
import type { Sent } from './send.ts';

type SendCall = Pick<Call<typeof sendWithConsent>, 'body' | 'requestId'>;
type Response = ResponseOf<typeof sendWithConsent>;

/** A message of a call as it came: read, or refused for its form. */
type Part = Asked | { readonly refusal: AppError };

/** How many messages a call is about. */
export function weighCall({ body }: SendCall): number {
  return 'messages' in body ? body.messages.length : 1;
}

/**
 * Calls that came together, as one list of messages. A single message that is wrong is a call that is wrong; in a batch
 * it is an error in its place.
 */
export async function sendCalls(
  tx: Tx,
  deps: SendDeps,
  calls: readonly SendCall[],
  shard: number,
): Promise<GroupOutcome<Response>[]> {
  const parts = calls.map((call) => partsOf(call.body));
  const asked = parts.flat().filter((one) => 'given' in one);
  const sent = (await send(tx, deps, asked, shard)).values();
  return calls.map((call, at) => {
    const outcomes = (parts[at] ?? []).map((part): Sent => ('refusal' in part ? part : next(sent)));
    return 'messages' in call.body ? batchOf(outcomes, call.requestId) : singleOf(outcomes);
  });
}

function partsOf(body: SendCall['body']): Part[] {
  if (!('messages' in body)) return [{ given: body, pointer: '' }];
  return body.messages.map((one, at) => {
    const pointer = `/messages/${at}`;
    return 'unread' in one
      ? { refusal: misshapen(one.unread, pointer) }
      : { given: one satisfies MessageGiven, pointer };
  });
}

/** What is wrong with something in the place of a message, read once more for the reasons. */
function misshapen(raw: unknown, pointer: string): AppError {
  const { error } = messageGiven.safeParse(raw);
  return invalidInput(error === undefined ? [] : fieldProblems(error, pointer));
}

function next(sent: Iterator<Sent>): Sent {
  const { value, done } = sent.next();
  if (done === true) throw new Error('a message has no outcome');
  return value;
}

function batchOf(outcomes: readonly Sent[], requestId: string): GroupOutcome<Response> {
  const data = outcomes.map((one) =>
    'refusal' in one ? { error: problemDocument(one.refusal, requestId) } : one.answer,
  );
  return { answer: { data } };
}

function singleOf([one]: readonly Sent[]): GroupOutcome<Response> {
  if (one === undefined) throw new Error('a call has no message');
  return 'refusal' in one ? one : { answer: { data: [one.answer] } };
}
