import type { Vendor } from '../vendor.ts';

/** Every vendor the sandbox plays over HTTP; one line each. */
export const vendors: readonly Vendor[] = [];
