/** Pure: a number in E.164 of what WhatsApp calls an id or prints (`16505551234`, `+1 650 555 1234`, `whatsapp:+16505551234`); undefined for what is none. */
export function e164Of(said: unknown): string | undefined {
  if (typeof said !== 'string' && typeof said !== 'number') return undefined;
  const text = String(said)
    .trim()
    .replace(/^whatsapp:/i, '');
  // Letters are an id of another kind, such as `US.13491208655302741918`.
  if (!/^\+?[\d ().-]+$/.test(text)) return undefined;
  const digits = text.replace(/\D/g, '');
  return digits.length >= 6 && digits.length <= 15 ? `+${digits}` : undefined;
}
