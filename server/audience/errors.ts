import { defineErrors } from '../platform/errors.ts';

defineErrors({
  'contact/address-taken': { status: 409, title: 'Another contact has this address' },
  'contact/external-id-taken': { status: 409, title: 'Another contact has this external id' },
  'attribute/exists': { status: 409, title: 'There is such an attribute already' },
  'import/not-csv': { status: 422, title: 'The file cannot be imported' },
  'import/no-file': { status: 400, title: 'There is no file in the request' },
  'import/not-running': { status: 409, title: 'The import has ended' },
});
