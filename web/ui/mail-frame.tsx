import { useMemo } from 'react';

/**
 * A mail's HTML, shown without trusting it: a sandboxed frame (no scripts, no forms, no navigation, an origin of its
 * own) under a policy that loads pictures and inline styles only.
 */
export function MailFrame({
  html,
  title,
  width,
  height = 560,
}: {
  readonly html: string;
  readonly title: string;
  /** In pixels; the whole width when left out. */
  readonly width?: number;
  readonly height?: number | string;
}) {
  const safe = useMemo(() => guarded(html), [html]);
  return (
    <iframe
      title={title}
      sandbox=""
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
function guarded(html: string): string {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  for (const image of parsed.querySelectorAll('img[src]')) {
    if (/\/t\/o\//.test(image.getAttribute('src') ?? '')) image.remove();
  }
  for (const refresh of parsed.querySelectorAll('meta[http-equiv]')) refresh.remove();
  const meta = parsed.createElement('meta');
  meta.setAttribute('http-equiv', 'Content-Security-Policy');
  meta.setAttribute('content', policy);
  parsed.head.prepend(meta);
  return `<!doctype html>${parsed.documentElement.outerHTML}`;
}
