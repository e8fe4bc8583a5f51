import type { SandboxFate, SandboxRule, SandboxScenario } from '../../contract/sandbox-scenario.ts';
import { fateOfAddress, normalRecipient } from './behaviour.rules.ts';
import type { Fate } from './vendor.ts';

/** What a workspace's scenario decides. Chance comes in as numbers from 0 to 1, so that it can be tried. */

export const emptyScenario: SandboxScenario = {
  rules: [],
  callbacks: { delayMs: 0, duplicatePercent: 0, shufflePercent: 0, lostPercent: 0 },
};

/** The first rule that fits and whose share the draw falls into, else what the address says. */
export function fateFor(
  scenario: SandboxScenario,
  asked: { readonly recipient: string; readonly vendor: string },
  draw: () => number,
): Fate {
  return ruledFate(scenario, asked, draw) ?? fateOfAddress(asked.recipient);
}

/** What a rule says, without what the address says. */
export function ruledFate(
  scenario: SandboxScenario,
  { recipient, vendor }: { readonly recipient: string; readonly vendor: string },
  draw: () => number,
): Fate | undefined {
  const found = scenario.rules.find((rule) => fits(rule, recipient, vendor) && draw() * 100 < rule.share);
  return found === undefined ? undefined : withoutGaps(found.fate);
}

function fits(rule: SandboxRule, recipient: string, vendor: string): boolean {
  if (rule.vendor !== undefined && rule.vendor !== vendor) return false;
  return rule.to === undefined || matches(normalRecipient(rule.to), normalRecipient(recipient));
}

/** `*` stands for anything, also for nothing; not by a regular expression, which a pattern could make slow. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** An optional code that was not given is no code, not the code `undefined`. */
function withoutGaps(fate: SandboxFate): Fate {
  if (!('code' in fate)) return fate as Fate;
  const { code, ...bare } = fate;
  return code === undefined ? bare : { ...bare, code };
}

const shuffleMs = 10_000;

/** After how many milliseconds a callback is made; several when it is made twice, none when it is lost. */
export function callbackDelays(
  { delayMs, duplicatePercent, shufflePercent, lostPercent }: SandboxScenario['callbacks'],
  afterMs: number,
  draw: () => number,
): number[] {
  if (draw() * 100 < lostPercent) return [];
  const one = () => afterMs + delayMs + (draw() * 100 < shufflePercent ? Math.round(draw() * shuffleMs) : 0);
  const first = one();
  return draw() * 100 < duplicatePercent ? [first, one() + 50] : [first];
}
