export { twilioErrors } from '../../twilio-errors.rules.ts';
