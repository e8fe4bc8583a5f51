/** What the words of the consent ledger mean to a person: how we heard, and on which basis. */
const sources: Readonly<Record<string, string>> = {
  api: 'through the API',
  import: 'with an imported file',
  form: 'on a form',
  dashboard: 'by a team member',
  'unsubscribe-link': 'through the unsubscribe link',
  'one-click': 'with the mail program’s unsubscribe button',
  unsubscribe: 'through the unsubscribe link',
  'preference-page': 'on the preference page',
  keyword: 'by keyword',
  'double-opt-in': 'by double opt-in',
  'provider-feedback': 'reported by the mailbox provider',
};

export function sourceText(source: string): string {
  return sources[source] ?? source;
}

export const basisText: Readonly<Record<string, string>> = {
  consent: 'Consent (they agreed)',
  contract: 'Contract (needed for what they bought)',
  'legitimate-interest': 'Legitimate interest (existing customer, may object)',
};
