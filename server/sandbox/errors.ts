import { defineErrors } from '../platform/errors.ts';

defineErrors({
  'sandbox/nothing-to-do': { status: 422, title: 'The message has nothing of this kind' },
  'sandbox/foreign-link': { status: 422, title: 'The link does not lead to this server' },
  'sandbox/hidden': { status: 403, title: 'The message is for somebody else' },
  'sandbox/no-answer': { status: 502, title: 'The link did not answer' },
});
