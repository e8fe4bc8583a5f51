import { defineErrors } from '../../platform/errors.ts';

defineErrors({
  'inapp/token-refused': { status: 401, title: 'The inbox token is missing, wrong or has ended' },
  'inapp/origin-refused': { status: 403, title: 'Pages of this origin may not show the inbox' },
});
