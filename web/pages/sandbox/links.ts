export interface MailLink {
  readonly url: string;
  /** What the reader sees of it. */
  readonly text: string;
}

/** The links of a mail that a reader can click, each address once, with what is written on it. */
export function linksOf(html: string): readonly MailLink[] {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  const links = new Map<string, string>();
  for (const anchor of parsed.querySelectorAll('a[href]')) {
    const url = anchor.getAttribute('href') ?? '';
    if (!/^https?:\/\//i.test(url) || links.has(url)) continue;
    const picture = anchor.querySelector('img[alt]')?.getAttribute('alt');
    const text = (anchor.textContent ?? '').replaceAll(/\s+/g, ' ').trim();
    links.set(url, text || picture || url);
  }
  return [...links].map(([url, text]) => ({ url, text }));
}
