import { defineErrors } from '../platform/errors.ts';

defineErrors({
  'message/not-cancellable': { status: 409, title: 'It can no longer be taken back' },
  'message/not-failed': { status: 409, title: 'Only a failed message can be tried again' },
  'message/not-unknown': { status: 409, title: 'Only an unknown message can be resolved' },
  'message/missing-variable': { status: 422, title: 'A variable of the template is missing' },
  'message/render-failed': { status: 422, title: 'The template cannot be rendered with these values' },
  'message/topic-required': { status: 422, title: 'Marketing needs a topic' },
  'message/not-sent': { status: 502, title: 'The provider did not take it' },
  'message/no-account': { status: 409, title: 'The channel has no account to send with' },
});
