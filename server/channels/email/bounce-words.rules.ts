/** Reads what mail servers write about a failure: their codes where they are specific, their words where they are not. */

/** The last specific enhanced status code (RFC 3463) in a text, else the last general one. */
export function enhancedCodeIn(text: string): string | undefined {
  const codes = [...text.matchAll(/(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)/g)].map(([, code]) => code);
  return codes.findLast((code) => !/^\d\.0\.0$/.test(code ?? '')) ?? codes.at(-1);
}

/** The reasons that pass, or lie with the message, the sender or the way there; they outweigh a code that says "no such user". */
const passing = [
  /(?:mail)?box (?:is )?full|over ?quota|quota (?:exceeded|is full)|exceed\w* (?:the )?(?:storage|mailbox|quota)|disk (?:full|quota)|insufficient (?:disk|storage|system)/i,
  /at a rate that|rate limit|too many (?:connections|messages|recipients)|try (?:again|it) later|temporar|greylist|resources unavailable/i,
  /spam|unsolicited|blocked|blacklist|block ?list|blocklisted|reputation|suspicious|phish|virus|malware|content (?:rejected|denied)|banned/i,
  /\bdkim\b|\bspf\b|\bdmarc\b|authenticat|policy|not authori[sz]ed|relay(?:ing)? (?:access )?denied|relaying|restricted|not (?:a )?member|permission/i,
  /too (?:large|big)|size limit|exceeds? (?:the )?(?:maximum|fixed)|message size/i,
  /timed? ?out|expired|giving up|connection (?:refused|reset)|retry time(?:out)? (?:not reached|exceeded)|unable to deliver this message|loop/i,
  /disabled or discontinued|suspended|inactive|on hold|disabled/i,
  /failed to read|pipe to|command (?:died|failed)|local (?:error|configuration)|system error|software error/i,
];

const nobody = [
  /user[ -]?unknown|unknown[ -]?(?:user|recipient|address|account)|no such (?:user|recipient|mailbox|address|person)|no (?:mailbox|account) (?:here|by that name)/i,
  /(?:user|recipient|mailbox|account|address|alias)[^.\n]{0,60}(?:does not exist|doesn[’']t exist|not found|not exist|unknown|invalid|no longer|not recogni[sz]ed|wasn[’']t found|has been deactivated)/i,
  /invalid (?:recipient|mailbox|user|address)|bad destination|not a valid (?:user|recipient|mailbox|address)|does not have (?:an|a yahoo) account/i,
  /(?:host|domain)(?: or domain name)? (?:not found|unknown|does not exist)|no such (?:host|domain)|unrouteable|nxdomain/i,
  /recipient name is not recogni[sz]ed|address rejected: (?:user|undeliverable)|recipient no longer|has moved|no longer (?:on|at|with|employed)/i,
];

const matches = (patterns: readonly RegExp[], text: string) => patterns.some((pattern) => pattern.test(text));

/** Bad address, by the code alone (RFC 3463, 3.2 and 3.5). */
const hardCodes = /^5\.(?:1\.(?:0|1|2|3|4|6|10)|2\.1|4\.4)$/;

/**
 * `hard` only when the address itself is the reason: an address that is given up by mistake is lost, one that is kept
 * by mistake is tried once more. `given` is the status field of a report, `code` the most specific one known.
 */
export function judge(given: string | undefined, code: string | undefined, words: string): 'hard' | 'soft' {
  if (given !== undefined && given.startsWith('4')) return 'soft';
  if (code?.startsWith('4') === true) return 'soft';
  if (matches(passing, words)) return 'soft';
  if (code !== undefined && hardCodes.test(code)) return 'hard';
  return matches(nobody, words) ? 'hard' : 'soft';
}
