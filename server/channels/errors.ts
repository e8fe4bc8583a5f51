import { defineErrors } from '../platform/errors.ts';

defineErrors({
  'provider/in-use': { status: 409, title: 'A route still sends through this account' },
  'provider/wrong-channel': { status: 422, title: 'The account belongs to another channel' },
});
