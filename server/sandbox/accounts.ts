import { createSandboxAccount, listSandboxVendors } from '../../contract/sandbox-accounts.ts';
import type { Tx } from '../platform/db.ts';
import { invalidField } from '../platform/errors.ts';
import { route } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';
import type { Acting } from './routes.ts';
import type { Desk, Vendor, VendorAccount } from './vendor.ts';

/** What is asked of those who keep the accounts. */
export interface VendorAccountDraft {
  readonly kind: string;
  readonly channel: VendorAccount['channel'];
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Of e-mail: a reserved domain (RFC 2606), so that a caught message cannot be mistaken for one that was meant to leave. */
  readonly from?: { readonly email: string };
}

export interface AccountRoutesDeps {
  readonly vendors: readonly Vendor[];
  deskOf(workspaceId: string): Desk;
  createAccount(tx: Tx, call: Acting, id: string, draft: VendorAccountDraft): Promise<void>;
}

/** Stands for wherever the sandbox listens, in each process and after each start; with the workspace's key put in. */
export const vendorBaseUrl = (vendor: string) => `http://sandbox.localhost/${vendor}`;

export function accountRoutes({ vendors, deskOf, createAccount }: AccountRoutesDeps): Route[] {
  const offered = vendors.flatMap((vendor) => vendor.accounts.map((account) => ({ vendor: vendor.name, account })));
  return [
    route(listSandboxVendors, () =>
      Promise.resolve({
        data: offered.map(({ vendor, account: { kind, channel, title } }) => ({
          vendor,
          kind,
          channel,
          title,
          baseUrl: vendorBaseUrl(vendor),
        })),
      }),
    ),
    route(createSandboxAccount, async (tx, call) => {
      const found = offered.find(({ account }) => account.kind === call.body.kind);
      if (found === undefined) throw invalidField('/kind', 'is no vendor that the sandbox plays');
      const { kind, channel, title } = found.account;
      const name = `${title} (sandbox)`;
      await createAccount(tx, call, call.mintedId, {
        kind,
        channel,
        name,
        settings: {
          ...found.account.fields(tx.workspaceId, deskOf(tx.workspaceId)),
          baseUrl: vendorBaseUrl(found.vendor),
        },
        ...(channel === 'email' ? { from: { email: 'hello@example.com' } } : {}),
      });
      return { id: call.mintedId, kind, channel, name };
    }),
  ];
}
