import type { FastifyReply, FastifyRequest } from 'fastify';
import * as contract from '../../contract/callbacks.ts';
import type { Clock } from '../platform/clock.ts';
import { AppError, notFound } from '../platform/errors.ts';
import { streamRoute } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';
import type { Callbacks } from './callbacks.ts';

interface Called {
  readonly params: { readonly provider: string; readonly accountId: string };
  readonly raw: FastifyRequest;
  readonly reply: FastifyReply;
  readonly origin: string;
}

/** One value a name: signatures are made over single ones. */
function headersOf(request: FastifyRequest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

async function answer(callbacks: Callbacks, clock: Clock, { params, raw, reply, origin }: Called): Promise<void> {
  const body = Buffer.isBuffer(raw.body) ? raw.body : Buffer.alloc(0);
  const taken = await callbacks.take(params.provider, params.accountId, {
    method: raw.method === 'GET' ? 'GET' : 'POST',
    url: `${origin}${raw.url}`,
    headers: headersOf(raw),
    body,
    receivedAt: clock.now().toString(),
  });
  switch (taken.kind) {
    case 'taken':
      return void reply.code(200).type('text/plain').send('');
    case 'answer':
      return void reply.code(taken.status).type(taken.contentType).send(taken.body);
    case 'unknown-account':
      throw notFound('account');
    case 'forged':
      throw new AppError('callback/forged', 'The signature does not belong to this request, or it is too old.');
  }
}

export function callbackRoutes(callbacks: Callbacks, clock: Clock): Route[] {
  return [
    streamRoute(contract.receiveCallback, (call) => answer(callbacks, clock, call)),
    streamRoute(contract.confirmCallback, (call) => answer(callbacks, clock, call)),
  ];
}
