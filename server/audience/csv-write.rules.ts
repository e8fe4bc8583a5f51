/**
 * One line of CSV (RFC 4180). A cell that a spreadsheet would run as a formula (starting with = + - @, tab or
 * carriage return; OWASP "CSV Injection") gets an apostrophe in front; numbers and telephone numbers do not
 * need one, since they compute to themselves.
 */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

const harmlessNumber = /^[+-]?[\d][\d .,]*$/u;

export function csvCell(text: string): string {
  const runs = /^[=+\-@\t\r]/u.test(text) && !harmlessNumber.test(text);
  const safe = runs ? `'${text}` : text;
  return /[",\r\n;\t]/u.test(safe) || /^\s|\s$/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
