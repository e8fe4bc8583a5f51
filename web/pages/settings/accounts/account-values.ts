import type { Account } from '../../../../contract/providers.ts';
import type { Given } from '../../../api.ts';

/** Kinds that have a form here. */
export type FormKind = Given<'POST /providers'>['body']['kind'];

/** What the form of an account holds: everything as inputs do, empty for "none". */
export interface AccountValues extends Record<string, unknown> {
  name: string;
  sender: { from: { name: string; email: string }; replyTo: string };
  settings: {
    host: string;
    port: number | string;
    security: 'tls' | 'starttls' | 'opportunistic' | 'none';
    username: string;
    password: string;
    maxConnections: number | string;
    dkim: { domain: string; selector: string };
    dkimPrivateKey: string;
  };
  limits: Record<LimitKey, number | string>;
}

export const limitKeys = ['perSecond', 'perMinute', 'perHour', 'perDay', 'perRecipientPerDay'] as const;
export type LimitKey = (typeof limitKeys)[number];

export function valuesOf(account: Account | undefined): AccountValues {
  const settings = account && 'host' in account.settings ? account.settings : undefined;
  const limits = Object.fromEntries(limitKeys.map((key) => [key, account?.limits[key] ?? '']));
  return {
    name: account?.name ?? '',
    sender: {
      from: { name: account?.sender.from?.name ?? '', email: account?.sender.from?.email ?? '' },
      replyTo: account?.sender.replyTo ?? '',
    },
    settings: {
      host: settings?.host ?? '',
      port: settings?.port ?? 587,
      security: settings?.security ?? 'starttls',
      username: settings?.username ?? '',
      password: '',
      maxConnections: settings?.maxConnections ?? 5,
      dkim: { domain: settings?.dkim?.domain ?? '', selector: settings?.dkim?.selector ?? '' },
      dkimPrivateKey: '',
    },
    limits: limits as Record<LimitKey, number | string>,
  };
}

function limitsOf(values: AccountValues): Partial<Record<LimitKey, number>> {
  const set = limitKeys.filter((key) => values.limits[key] !== '');
  return Object.fromEntries(set.map((key) => [key, Number(values.limits[key])]));
}

function senderOf({ sender }: AccountValues) {
  const email = sender.from.email.trim();
  if (email === '') return undefined;
  const name = sender.from.name.trim();
  return { from: { email, ...(name ? { name } : {}) }, replyTo: sender.replyTo.trim() || null };
}

/** Secrets left empty are left out: the stored ones stay. */
function smtpOf({ settings }: AccountValues) {
  const { domain, selector } = settings.dkim;
  return {
    host: settings.host.trim(),
    port: Number(settings.port),
    security: settings.security,
    username: settings.username.trim() || null,
    maxConnections: Number(settings.maxConnections),
    dkim: domain.trim() && selector.trim() ? { domain: domain.trim(), selector: selector.trim() } : null,
    ...(settings.password ? { password: settings.password } : {}),
    ...(settings.dkimPrivateKey.trim() ? { dkimPrivateKey: `${settings.dkimPrivateKey.trim()}\n` } : {}),
  };
}

export function creationOf(kind: FormKind, values: AccountValues): Given<'POST /providers'>['body'] {
  const sender = senderOf(values);
  const rest = {
    channel: 'email' as const,
    name: values.name,
    limits: limitsOf(values),
    ...(sender ? { sender } : {}),
  };
  if (kind === 'sandbox') return { kind, settings: {}, ...rest };
  const { username, dkim, ...settings } = smtpOf(values);
  return {
    kind,
    settings: { ...settings, ...(username === null ? {} : { username }), ...(dkim === null ? {} : { dkim }) },
    ...rest,
  };
}

export function changeOf(kind: Account['kind'], values: AccountValues): Given<'PATCH /providers/:id'>['body'] {
  return {
    name: values.name,
    limits: limitsOf(values),
    sender: senderOf(values) ?? null,
    ...(kind === 'smtp' ? { settings: smtpOf(values) } : {}),
  };
}
