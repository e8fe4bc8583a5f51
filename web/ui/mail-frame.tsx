import { useMemo } from 'react';

/**
 * A mail's HTML, shown without trusting it: a sandboxed frame (no scripts, no forms, an origin of its own) under a
 * policy that loads pictures and inline styles only. The frame itself goes nowhere: a link opens a tab of its own, as
 * in a mail program, or does nothing.
 */
export function MailFrame({
  html,
  title,
  links = 'inert',
  width,
  height = 560,
}: {
  readonly html: string;
  readonly title: string;
  /** `inert` for a preview, whose links lead to nobody. */
  readonly links?: 'open' | 'inert';
  /** In pixels; the whole width when left out. */
  readonly width?: number;
  readonly height?: number | string;
}) {
  const safe = useMemo(() => guarded(html, links), [html, links]);
  return (
    <iframe
      title={title}
      sandbox={links === 'open' ? 'allow-popups allow-popups-to-escape-sandbox' : ''}
      srcDoc={safe}
      referrerPolicy="no-referrer"
      tabIndex={0}
      style={{
        display: 'block',
        width: width ?? '100%',
        maxWidth: '100%',
        height,
        margin: '0 auto',
        border: '1px solid var(--mantine-color-default-border)',
        borderRadius: 'var(--mantine-radius-sm)',
        // Mail is designed on white; a dark page behind it would make dark text unreadable.
        background: 'white',
        colorScheme: 'light',
      }}
    />
  );
}

const policy = "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; font-src https: data:";

/** Looking at a mail in the dashboard is not an open: our own pixel is taken out, so that previews never count. */
function guarded(html: string, links: 'open' | 'inert'): string {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  for (const link of parsed.querySelectorAll('a[href], area[href]')) {
    link.setAttribute('target', '_blank');
    link.setAttribute('rel', 'noopener noreferrer');
    if (links === 'inert') link.setAttribute('tabindex', '-1');
  }
  for (const image of parsed.querySelectorAll('img[src]')) {
    if (/\/t\/o\//.test(image.getAttribute('src') ?? '')) image.remove();
  }
  for (const refresh of parsed.querySelectorAll('meta[http-equiv], base')) refresh.remove();
  const meta = parsed.createElement('meta');
  meta.setAttribute('http-equiv', 'Content-Security-Policy');
  meta.setAttribute('content', policy);
  parsed.head.prepend(meta);
  if (links === 'inert') {
    const style = parsed.createElement('style');
    style.textContent = 'a, area { pointer-events: none !important; }';
    parsed.head.append(style);
  }
  return `<!doctype html>${parsed.documentElement.outerHTML}`;
}
