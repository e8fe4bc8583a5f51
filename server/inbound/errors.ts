import { defineErrors } from '../platform/errors.ts';

defineErrors({
  'callback/forged': { status: 401, title: 'Not signed by the provider' },
});
