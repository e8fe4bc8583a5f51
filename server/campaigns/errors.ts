import { defineErrors } from '../platform/errors.ts';

defineErrors({
  'campaign/already-started': { status: 409, title: 'The campaign has been started' },
  'campaign/not-running': { status: 409, title: 'The campaign is not running' },
  'campaign/not-paused': { status: 409, title: 'The campaign is not paused' },
  'campaign/ended': { status: 409, title: 'The campaign has ended' },
  'campaign/not-ready': { status: 422, title: 'The campaign cannot be started as it is' },
});
