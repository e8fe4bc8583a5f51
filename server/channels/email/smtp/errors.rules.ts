import type { ErrorTable, VendorError } from '../../port.ts';

/**
 * What the codes of mail servers mean. A code is looked up whole (`5.1.7`, `530`), else by its class and subject
 * (`5.1`, RFC 3463), else by its first digit. Where in the conversation it came, and the words of a temporary one, can
 * say otherwise: see `reply.rules.ts`.
 */
export const smtpErrors: ErrorTable = {
  '5.1': { category: 'address', meaning: 'the address does not exist' },
  '5.1.7': { category: 'account', meaning: "the sender's address is not well formed" },
  '5.1.8': { category: 'account', meaning: "the sender's domain does not exist" },
  '5.2': { category: 'address', meaning: 'the mailbox takes no mail' },
  '5.3': { category: 'content', meaning: "the server's system does not take this message" },
  '5.3.4': { category: 'content', meaning: 'the message is too large' },
  '5.4': { category: 'content', meaning: 'the mail cannot be routed' },
  '5.5': { category: 'content', meaning: 'the server objects to the protocol' },
  '5.6': { category: 'content', meaning: 'the content cannot be carried' },
  '5.7': { category: 'content', meaning: 'the message is refused by policy' },
  '530': { category: 'account', meaning: 'the server wants a sign-in or encryption' },
  '534': { category: 'account', meaning: 'the way of signing in is too weak' },
  '535': { category: 'account', meaning: 'user name or password are wrong' },
  '538': { category: 'account', meaning: 'signing in needs encryption' },
  '5': { category: 'content', meaning: 'refused for good' },
  '4.2': { category: 'transient', meaning: 'the mailbox takes no mail for now' },
  '4.3': { category: 'provider-down', meaning: 'the server is not well' },
  '4.7': { category: 'throttled', meaning: 'held back by policy' },
  '4': { category: 'transient', meaning: 'refused for now' },
  aborted: { category: 'transient', meaning: 'given up before it began' },
  closed: { category: 'transient', meaning: 'the line was closed before it began' },
  'connection-lost': { category: 'unknown', meaning: 'the connection broke; after the whole message it is in doubt' },
  timeout: { category: 'unknown', meaning: 'no answer in time; after the whole message it is in doubt' },
  malformed: { category: 'unknown', meaning: 'the answer is no SMTP' },
  dns: { category: 'provider-down', meaning: 'the host name has no address' },
  'tls-certificate': { category: 'provider-down', meaning: 'the certificate of the server was not accepted' },
  'wrong-channel': { category: 'content', meaning: 'this account sends e-mail only' },
  tls: { category: 'provider-down', meaning: 'no encryption could be agreed on' },
  'refused-host': { category: 'account', meaning: 'the host is in a network that may not be connected to' },
  'sandbox-absent': { category: 'provider-down', meaning: 'the sandbox does not run in this process' },
};

const unheardOf: VendorError = { category: 'unknown', meaning: 'not an SMTP code' };

/** What a reply code, with the enhanced one where there is one, means by itself. */
export function smtpError(code: number, enhanced: string): VendorError {
  const own = smtpErrors[String(code)];
  if (own !== undefined) return own;
  const [digit = '', subject = ''] = enhanced.split('.');
  return (
    smtpErrors[enhanced] ?? smtpErrors[`${digit}.${subject}`] ?? smtpErrors[String(Math.floor(code / 100))] ?? unheardOf
  );
}
