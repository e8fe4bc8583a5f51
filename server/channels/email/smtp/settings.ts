import { z } from 'zod';
import type { FieldProblem } from '../../../platform/errors.ts';
import { dkimKey } from '../dkim.rules.ts';
import { asciiDomain } from '../header.rules.ts';

const host = z
  .string()
  .trim()
  .min(1)
  .max(253)
  // Names, IPv4, and IPv6 in brackets or without: what may be connected to is judged when it is.
  .regex(/^[A-Za-z0-9._:[\]-]+$/, 'must be a host name or an IP address');

export const smtpSettings = z.strictObject({
  host: host.meta({ title: 'Server', description: 'Such as smtp.example.com' }),
  port: z.int().min(1).max(65_535).default(587).meta({ title: 'Port' }),
  /** `opportunistic`: TLS if the server offers it; then no password is sent without. */
  security: z.enum(['tls', 'starttls', 'opportunistic', 'none']).default('starttls').meta({
    title: 'Encryption',
    description:
      'tls: from the first byte; starttls: required before anything else; opportunistic: if the server offers it, and no password without it; none: only to hosts you trust',
  }),
  username: z.string().min(1).max(320).nullable().default(null).meta({ title: 'User name' }),
  maxConnections: z.int().min(1).max(100).default(5).meta({
    title: 'Connections',
    description: 'How many are open at the same time',
  }),
  chunking: z.enum(['auto', 'off']).default('auto').meta({
    title: 'Several messages at once',
    description:
      'auto: up to eight messages follow each other before the first answer, if the server offers it (CHUNKING and PIPELINING); off: one by one, should a server or what stands before it not keep its word',
  }),
  dkim: z
    .strictObject({
      domain: z
        .string()
        .refine((domain) => asciiDomain(domain) !== undefined, 'must be a domain')
        .meta({ title: 'Domain' }),
      selector: z
        .string()
        .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, 'must be a selector')
        .meta({ title: 'Selector' }),
    })
    .nullable()
    .default(null)
    .meta({ title: 'DKIM', description: 'Parley signs mail with the key below; leave it out where the server does' }),
});
export type SmtpSettings = z.output<typeof smtpSettings>;

export const smtpSecrets = z.strictObject({
  password: z.string().min(1).max(1000).optional().meta({ title: 'Password' }),
  dkimPrivateKey: z
    .string()
    .max(10_000)
    .refine((pem) => dkimKey(pem) !== undefined, 'must be a private key in PEM: RSA of at least 1024 bits, or Ed25519')
    .optional()
    .meta({ title: 'DKIM private key', description: 'In PEM: RSA of at least 1024 bits, or Ed25519' }),
});
export type SmtpSecrets = z.output<typeof smtpSecrets>;

export function smtpProblems(settings: SmtpSettings, secrets: SmtpSecrets): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (settings.username !== null && secrets.password === undefined) {
    problems.push({ pointer: '/settings/password', message: 'is needed with a user name' });
  }
  if (settings.dkim !== null && secrets.dkimPrivateKey === undefined) {
    problems.push({ pointer: '/settings/dkimPrivateKey', message: 'is needed to sign with DKIM' });
  }
  return problems;
}
