/** What a request says about who, or what, made it. */
export interface HitFacts {
  readonly method: string;
  readonly userAgent: string;
  /** `Sec-Purpose`, `Purpose`, `X-Purpose` and `X-Moz`, joined. */
  readonly purpose: string;
  /** Since the message was handed over; undefined while that is not written down yet. */
  readonly sinceHandOverMs: number | undefined;
}

interface Pattern {
  readonly reason: string;
  readonly matches: RegExp;
}

/**
 * Who fetches without a person: each says so in its user agent.
 * - Apple's Mail Privacy Protection loads every picture shortly after arrival, seen or not, as a bare `Mozilla/5.0`.
 * - Gmail's prefetch (before the mail is shown) comes as Edge 12 inside Chrome 42, which no person has used for
 *   years (SparkPost, "Gmail is prefetching images", 2022).
 * - Mail gateways and link previews name themselves.
 * Plain HTTP clients (curl, scripts) are not listed: people try their own links with them, and scanners that hide
 * pretend to be browsers anyway.
 */
const machines: readonly Pattern[] = [
  { reason: 'apple-privacy', matches: /^Mozilla\/5\.0$/ },
  { reason: 'gmail-prefetch', matches: /Chrome\/42\.0\.2311\.135 Safari\/537\.36 Edge\/12\.246/ },
  {
    reason: 'scanner',
    matches:
      /barracuda|mimecast|proofpoint|ironport|forcepoint|messagelabs|symantec|sophos|trend ?micro|mcafee|fireeye|trellix|safelinks|microsoft office (?:existence|protocol) discovery|urldefense|urlscan|virustotal|cloudmark|bitdefender|fortiguard|zscaler|checkpoint|avanan|abnormal ?security/i,
  },
  {
    reason: 'preview',
    matches:
      /facebookexternalhit|facebot|twitterbot|slackbot|slack-imgproxy|linkedinbot|whatsapp\/|telegrambot|discordbot|skypeuripreview|bingpreview|google-pagerenderer|redditbot|embedly/i,
  },
  {
    reason: 'bot',
    matches:
      /\b(?:\w*bot|crawler|spider|slurp)\b|headlesschrome|phantomjs|google-safety|googleother|bot@|\+https?:\/\//i,
  },
];

/**
 * Pictures through these come when the person opens the mail, so they count: Gmail and Yahoo hide every reader behind
 * them. Right after arrival, though, it is the mailbox that looks, not the person.
 */
const readersProxy = /GoogleImageProxy|YahooMailProxy/i;
const proxyLooksForMs = 30_000;

/** Why the hit is not a person's; undefined when it counts. */
export function machineReason(kind: 'open' | 'click', facts: HitFacts): string | undefined {
  if (facts.method === 'HEAD') return 'head';
  if (/prefetch|prerender|preview|preconnect/i.test(facts.purpose)) return 'prefetch';
  if (facts.userAgent === '') return 'no-user-agent';
  if (readersProxy.test(facts.userAgent))
    return kind === 'open' && (facts.sinceHandOverMs ?? 0) < proxyLooksForMs ? 'proxy-at-arrival' : undefined;
  return machines.find(({ matches }) => matches.test(facts.userAgent))?.reason;
}

/** One request for link `n` of a message. */
export interface LinkHit {
  readonly n: number;
  readonly atMs: number;
}

const burstMs = 1000;
const burstLinks = 3;

/**
 * A scanner follows every link at once: three different links of one message within a second; two, when the message
 * was handed over less than a second ago. No person does.
 */
export function isBurst(hits: readonly LinkHit[], handedOverMs: number | undefined): boolean {
  return hits.some((first) => {
    const near = hits.filter((hit) => hit.atMs >= first.atMs && hit.atMs - first.atMs <= burstMs);
    const links = new Set(near.map((hit) => hit.n)).size;
    if (links >= burstLinks) return true;
    const atArrival = handedOverMs !== undefined && near.every((hit) => hit.atMs - handedOverMs < burstMs);
    return links >= 2 && atArrival;
  });
}
