import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Provider, ProviderAccount, ProviderDeps, Sender, TestResult } from '../../port.ts';
import { createDkimSigner, dkimKey, dkimPublicKey } from '../dkim.rules.ts';
import { asciiDomain } from '../header.rules.ts';
import { createComposer } from '../mime.rules.ts';
import type { Sign } from '../mime.rules.ts';
import { emailReadiness } from '../readiness.ts';
import type { Signing } from '../readiness.rules.ts';
import { smtpErrors } from './errors.rules.ts';
import { createSmtpSender } from './sender.ts';
import type { PoolConfig } from './sender.ts';
import { openSession, SessionFailure } from './session.ts';
import { smtpProblems, smtpSecrets, smtpSettings } from './settings.ts';
import type { SmtpSecrets, SmtpSettings } from './settings.ts';
import { fail, tick } from './wire.ts';
import type { Wire } from './wire.ts';

type SmtpAccount = ProviderAccount<SmtpSettings, SmtpSecrets>;

/** RFC 5321, 4.5.3.2 asks for minutes; what is quiet for longer than these has its outcome recorded as in doubt, never re-sent. */
const patience = { connectMs: 15_000, commandMs: 60_000, acceptMs: 180_000, idleMs: 10_000 };
/** A person waits for a test. */
const testPatience = { connectMs: 8_000, commandMs: 10_000 };
const maxMessagesPerConnection = 1000;

/** Any mail server that speaks SMTP. */
export const smtpProvider: Provider<typeof smtpSettings, typeof smtpSecrets> = {
  kind: 'smtp',
  channel: 'email',
  settings: smtpSettings,
  secrets: smtpSecrets,
  errors: smtpErrors,
  problems: smtpProblems,
  create: (account, deps) => smtpSender(poolConfig(account), deps, signerOf(account)),
  test: (account, deps) => tryConnection(poolConfig(account), deps),
  readiness: (account, facts) => emailReadiness(signingOf(account), facts),
};

export function poolConfig(account: SmtpAccount): PoolConfig {
  const { host, port, security, username, maxConnections, chunking } = account.settings;
  const { password } = account.secrets;
  return {
    host,
    port,
    security,
    ...(username === null ? {} : { auth: { user: username, password: password ?? '' } }),
    localName: asciiDomain(hostname()) ?? 'localhost',
    ...patience,
    maxConnections,
    maxMessagesPerConnection,
    chunking,
  };
}

function keyOf({ settings, secrets }: SmtpAccount) {
  const key = secrets.dkimPrivateKey === undefined ? undefined : dkimKey(secrets.dkimPrivateKey);
  if (settings.dkim === null || key === undefined) return undefined;
  return { domain: asciiDomain(settings.dkim.domain) ?? settings.dkim.domain, selector: settings.dkim.selector, key };
}

function signerOf(account: SmtpAccount): Sign | undefined {
  const signing = keyOf(account);
  return signing === undefined ? undefined : createDkimSigner(signing);
}

function signingOf(account: SmtpAccount): Signing {
  const signing = keyOf(account);
  return { host: account.settings.host, dkim: signing && { ...signing, publicKey: dkimPublicKey(signing.key) } };
}

export function smtpSender(config: PoolConfig, deps: ProviderDeps, sign?: Sign): Sender {
  const composer = createComposer(randomBytes(6).toString('hex'), sign);
  return createSmtpSender(config, { clock: deps.clock, log: deps.log, resolveHost: deps.resolveHost, composer });
}

/** Connects and signs in, and tells each step. */
export async function tryConnection(config: PoolConfig, deps: ProviderDeps): Promise<TestResult> {
  const steps: { name: string; ok: boolean; detail: string }[] = [];
  const done = new AbortController();
  let wire: Wire | undefined;
  const keepTime = async () => {
    while (!done.signal.aborted) {
      await deps.clock.sleep(1000, done.signal);
      if (wire !== undefined) tick(wire, 1000);
    }
  };
  void keepTime();
  try {
    const session = await openSession(
      { ...config, ...testPatience },
      { resolveHost: deps.resolveHost, watch: (opened) => (wire = opened), signal: done.signal },
      (name, detail) => steps.push({ name, ok: true, detail }),
    );
    fail(session.wire, { code: 'closed', reason: 'tested' });
    return { ok: true, steps };
  } catch (error) {
    const known = error instanceof SessionFailure;
    if (!known) deps.log.warn({ err: error }, 'testing an account failed');
    steps.push({
      name: known ? error.step : 'connect',
      ok: false,
      detail: known ? error.message : 'an unexpected error',
    });
    return { ok: false, steps };
  } finally {
    done.abort();
  }
}
