import type { Account } from '../../../../contract/providers.ts';
import type { Given } from '../../../api.ts';
import type { Channel } from '../../../ui/channels.ts';
import { settingsOf, valuesOfFields, type Field, type FieldValues } from './fields.rules.ts';

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
    /** Not shown: kept as it is. */
    chunking: 'auto' | 'off';
    dkim: { domain: string; selector: string };
    dkimPrivateKey: string;
  };
  /** Of every other kind: as its fields have them. */
  fields: FieldValues;
  limits: Record<LimitKey, number | string>;
}

export const limitKeys = ['perSecond', 'perMinute', 'perHour', 'perDay', 'perRecipientPerDay'] as const;
export type LimitKey = (typeof limitKeys)[number];

/** As the server's own schema of SMTP settings has them. */
interface SmtpStored {
  readonly host?: string;
  readonly port?: number;
  readonly security?: AccountValues['settings']['security'];
  readonly username?: string | null;
  readonly maxConnections?: number;
  readonly chunking?: 'auto' | 'off';
  readonly dkim?: { readonly domain: string; readonly selector: string } | null;
}

export function valuesOf(account: Account | undefined, fields: readonly Field[] = []): AccountValues {
  const settings: SmtpStored | undefined = account?.kind === 'smtp' ? account.settings : undefined;
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
      chunking: settings?.chunking ?? 'auto',
      dkim: { domain: settings?.dkim?.domain ?? '', selector: settings?.dkim?.selector ?? '' },
      dkimPrivateKey: '',
    },
    fields: valuesOfFields(fields, account?.settings),
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
    chunking: settings.chunking,
    dkim: domain.trim() && selector.trim() ? { domain: domain.trim(), selector: selector.trim() } : null,
    ...(settings.password ? { password: settings.password } : {}),
    ...(settings.dkimPrivateKey.trim() ? { dkimPrivateKey: `${settings.dkimPrivateKey.trim()}\n` } : {}),
  };
}

/** What is chosen before the form: the provider, and what its form asks for. */
export interface FormKind {
  readonly kind: string;
  readonly channel: Channel;
  /** Settings and secrets. */
  readonly fields: readonly Field[];
}

function settingsFor({ kind, fields }: FormKind, values: AccountValues): Record<string, unknown> {
  return kind === 'smtp' ? smtpOf(values) : settingsOf(fields, values.fields);
}

export function creationOf(kind: FormKind, values: AccountValues): Given<'POST /providers'>['body'] {
  const sender = senderOf(values);
  return {
    kind: kind.kind,
    channel: kind.channel,
    name: values.name,
    settings: settingsFor(kind, values),
    limits: limitsOf(values),
    ...(sender ? { sender } : {}),
  };
}

/** Limits that have no input here stay as they are. */
export function changeOf(
  kind: FormKind,
  values: AccountValues,
  stored: Account,
): Given<'PATCH /providers/:id'>['body'] {
  const others = Object.fromEntries(
    Object.entries(stored.limits).filter(([key]) => !limitKeys.some((one) => one === key)),
  );
  return {
    name: values.name,
    limits: { ...others, ...limitsOf(values) },
    sender: senderOf(values) ?? null,
    settings: settingsFor(kind, values),
  };
}
