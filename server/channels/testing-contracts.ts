import { contract as smtp, sandboxContract as sandbox } from './email/smtp/testing.ts';
import type { ProviderContract } from './testing-contract.ts';

/** What each provider of `registry.ts` brings for `contract.test.ts`; one line each. */
export const contracts: readonly ProviderContract[] = [smtp, sandbox];
