/** The headers that tell where a browser's request came from. */
export interface RequestOrigin {
  readonly method: string;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
  readonly marker: string | undefined;
}

/** A header a form or image cannot send, and a script elsewhere only after a preflight that we never answer. */
export const csrfHeader = 'x-parley-csrf';

const safe = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Why a request that carries the session cookie is refused; undefined when it may pass. Browsers send `Sec-Fetch-Site`,
 * which a page cannot forge; older ones send `Origin`; the marker header stops whatever sends neither.
 */
export function refuseCookieRequest(request: RequestOrigin, ownOrigin: string): string | undefined {
  if (safe.has(request.method)) return undefined;
  const foreign = refuseForeignPage(request, ownOrigin);
  if (foreign !== undefined) return foreign;
  if (request.marker === undefined || request.marker === '') return `The header ${csrfHeader} is missing.`;
  return undefined;
}

/** For sign-in and the like, which need no cookie yet: another site's page must not sign somebody in. Programs, which send neither header, may. */
export function refuseForeignPage(request: RequestOrigin, ownOrigin: string): string | undefined {
  const { secFetchSite, origin } = request;
  if (secFetchSite !== undefined && secFetchSite !== 'same-origin' && secFetchSite !== 'none')
    return 'The request came from a page of another site.';
  // With Sec-Fetch-Site the browser itself vouches; the public origin may differ from what it sees behind a proxy.
  if (secFetchSite === 'same-origin') return undefined;
  if (origin !== undefined && origin !== ownOrigin) return 'The request came from a page of another origin.';
  return undefined;
}
