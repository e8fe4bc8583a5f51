import { sandboxProvider } from './email/smtp/sandbox-provider.ts';
import { smtpProvider } from './email/smtp/provider.ts';
import type { Provider } from './port.ts';

/**
 * Every provider there is; one line each. An account's settings are parsed by the schemas of the provider that its kind
 * names, so the pairing of types that this list forgets holds wherever they are used.
 */
const providers = [smtpProvider, sandboxProvider] as unknown as readonly Provider[];

export function findProvider(kind: string): Provider | undefined {
  return providers.find((provider) => provider.kind === kind);
}

export function allProviders(): readonly Provider[] {
  return providers;
}
