/** A template as it stands with a vendor: what the template slice keeps of it. The same form for Meta and Twilio. */

export type TemplateCategory = 'marketing' | 'utility' | 'authentication';

export interface VendorTemplateButton {
  readonly kind: 'url' | 'quick-reply' | 'copy-code' | 'phone' | 'flow' | 'other';
  readonly text: string;
  /** Of a link: with `{{1}}` where a part of it varies. */
  readonly url?: string;
}

export interface VendorTemplate {
  /** The vendor's id of it. */
  readonly id: string;
  readonly name: string;
  /** As Meta writes it: `en_US`. */
  readonly language: string;
  /** As the vendor writes it, in upper case: APPROVED, PENDING, REJECTED, PAUSED, … */
  readonly status: string;
  readonly category?: TemplateCategory;
  readonly quality?: 'green' | 'yellow' | 'red' | 'unknown';
  /** Why it was rejected or paused. */
  readonly reason?: string;
  readonly header?: { readonly kind: 'text' | 'image' | 'video' | 'document' | 'location'; readonly text?: string };
  readonly body?: string;
  readonly footer?: string;
  readonly buttons: readonly VendorTemplateButton[];
  /** How many values each part wants: of the header's text, the body, and each button by its place. */
  readonly variables: { readonly header: number; readonly body: number; readonly buttons: readonly number[] };
  /** Names of the body's values in order, where the template names them instead of numbering. */
  readonly names?: readonly string[];
}

/** The whole list, or what went wrong. Never a part: a template that is missing from it is gone. */
export type TemplateList =
  | { readonly kind: 'listed'; readonly templates: readonly VendorTemplate[] }
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string };

/** Pure: the different places in a text, `{{1}}` or `{{first_name}}`, in the order in which they first stand. */
export function placesIn(text: string): readonly string[] {
  const found = [...text.matchAll(/\{\{\s*([A-Za-z0-9_]{1,64})\s*\}\}/g)].map((match) => match[1] ?? '');
  const names = [...new Set(found)];
  const isNumbered = names.every((name) => /^\d+$/.test(name));
  return isNumbered ? names.toSorted((one, other) => Number(one) - Number(other)) : names;
}

/** Pure: a category in any case; undefined for what Meta no longer knows. */
export function categoryOf(said: string | undefined): TemplateCategory | undefined {
  const category = said?.toLowerCase();
  return category === 'marketing' || category === 'utility' || category === 'authentication' ? category : undefined;
}
