import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OutgoingWhatsApp, ProviderAccount } from '../port.ts';
import type { Play, PlayedVendor } from '../testing-contract.ts';

/** A vendor of WhatsApp for tests: a local server that answers as it is told. */

export interface PlayedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | object;
}

export interface PlayedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Playing extends PlayedVendor {
  readonly requests: readonly PlayedRequest[];
  /** From now on, instead of a play. */
  answers(answer: (request: PlayedRequest) => PlayedAnswer): void;
}

type Script = Exclude<Play, 'quiet' | 'hang-up'>;

export async function startPlaying(
  script: (play: Script, request: PlayedRequest) => PlayedAnswer,
  account: (origin: string) => ProviderAccount,
): Promise<Playing> {
  const requests: PlayedRequest[] = [];
  let play: Play = 'accept';
  let answer: ((request: PlayedRequest) => PlayedAnswer) | undefined;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const heard = { method, path, headers, body: Buffer.concat(chunks).toString('utf8') };
      requests.push(heard);
      if (answer === undefined && play === 'quiet') return;
      if (answer === undefined && play === 'hang-up') return void request.socket.destroy();
      const { status, headers: given = {}, body } = answer?.(heard) ?? script(play as Script, heard);
      response.writeHead(status, { 'content-type': 'application/json', ...given });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    requests,
    get heard() {
      return requests.filter(({ method }) => method === 'POST').map(({ body }) => body);
    },
    account: () => account(origin),
    deps: (deps) => {
      deps.http.trust(origin);
      return deps;
    },
    plays: (next) => {
      play = next;
      answer = undefined;
    },
    answers: (next) => {
      answer = next;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const playedNumber = '+16505551234';

export function playedMessage(messageId: string, change: Partial<OutgoingWhatsApp> = {}): OutgoingWhatsApp {
  return {
    channel: 'whatsapp',
    messageId,
    to: playedNumber,
    category: 'utility',
    content: {
      kind: 'template',
      name: 'order_confirmation',
      language: 'en_US',
      contentSid: `HX${'a'.repeat(32)}`,
      body: ['Ada', '42'],
    },
    ...change,
  };
}
