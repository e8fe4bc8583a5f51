import { Agent, request } from 'undici';
import { openLines } from './floor-send.ts';
import type { HandOver } from './floor-send.ts';
import { source, text } from './mail.ts';
import type { Rig, Server, Sink } from './rig.ts';

/** A way out that is measured: the account and template on Parley's side, the sink, and the plain way of the floor to it. */
export interface Via {
  readonly channel: 'email' | 'sms';
  /** Beside the name, category and locale. */
  readonly template: Readonly<Record<string, unknown>>;
  startSink(rig: Rig): Promise<Sink>;
  account(port: number): Readonly<Record<string, unknown>>;
  /** What the floor hands over with. */
  floor(port: number): Promise<HandOver>;
}

const hex = (digits: number) => '0123456789abcdef'.repeat(3).slice(0, digits);
const connections = 16;

/** The text of the mail, as a text message with its four links. */
const message = text.replaceAll(/https:\/\/example\.com\/c\/\{\{ token \}\}\.(\d)/g, 'https://example.com/$1');

async function post(agent: Agent, url: string, type: string, body: string): Promise<void> {
  const answer = await request(url, {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': type, authorization: 'Bearer key' },
    body,
  });
  await answer.body.dump();
  if (answer.statusCode >= 300) throw new Error(`the sink answered ${answer.statusCode}`);
}

export const vias: Readonly<Record<string, Via>> = {
  smtp: {
    channel: 'email',
    template: source,
    startSink: (rig) => rig.startSink(),
    account: (port) => ({
      kind: 'smtp',
      channel: 'email',
      settings: { host: '127.0.0.1', port, security: 'none', maxConnections: 8 },
      sender: { from: { email: 'news@example.com', name: 'News' } },
    }),
    floor: openLines,
  },
  http: {
    channel: 'sms',
    template: { text: message },
    startSink: (rig) => rig.startHttpSink(),
    account: (port) => ({
      kind: 'twilio',
      channel: 'sms',
      settings: {
        accountSid: `AC${hex(32)}`,
        messagingServiceSid: `MG${hex(32)}`,
        authToken: hex(32),
        maxConnections: connections,
        baseUrl: `http://127.0.0.1:${port}`,
      },
    }),
    floor: (port) => {
      const agent = new Agent({ connections });
      const url = `http://127.0.0.1:${port}/2010-04-01/Accounts/AC${hex(32)}/Messages.json`;
      return Promise.resolve(async (messages) => {
        await Promise.all(
          messages.map(({ to, words }) =>
            post(
              agent,
              url,
              'application/x-www-form-urlencoded',
              new URLSearchParams({ To: to, Body: words }).toString(),
            ),
          ),
        );
      });
    },
  },
  sendgrid: {
    channel: 'email',
    template: source,
    startSink: (rig) => rig.startHttpSink(),
    account: (port) => ({
      kind: 'sendgrid',
      channel: 'email',
      settings: { apiKey: 'SG.bench', maxConnections: connections, baseUrl: `http://127.0.0.1:${port}` },
      sender: { from: { email: 'news@example.com', name: 'News' } },
    }),
    floor: (port) => {
      const agent = new Agent({ connections });
      return Promise.resolve(async (messages) => {
        const personalizations = messages.map(({ to, words }) => ({
          to: [{ email: to }],
          substitutions: { '-words-': words },
        }));
        const body = {
          personalizations,
          from: { email: 'news@example.com' },
          subject: 'News',
          content: [{ type: 'text/plain', value: '-words-' }],
        };
        await post(agent, `http://127.0.0.1:${port}/v3/mail/send`, 'application/json', JSON.stringify(body));
      });
    },
  },
};

/** An account at the sink, first in the route of its channel. */
export async function connectSink(server: Server, port: number, via: Via): Promise<string> {
  const { id } = await server.call<{ id: string }>('POST', '/providers', { name: 'Sink', ...via.account(port) });
  await server.call('PUT', `/routes/${via.channel}`, { accountIds: [id] });
  return id;
}
