import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SandboxRule } from '../../contract/sandbox-scenario.ts';
import { behaviourOfFate, fateOfAddress, refusalOf } from './behaviour.rules.ts';
import { callbackDelays, emptyScenario, fateFor, ruledFate } from './scenario.rules.ts';

const rule = (change: Partial<SandboxRule>): SandboxRule => ({ share: 100, fate: { kind: 'quiet' }, ...change });
const scenario = (...rules: SandboxRule[]) => ({ ...emptyScenario, rules });
const asked = (recipient: string, vendor = 'twilio') => ({ recipient, vendor });

describe('a rule of a scenario', () => {
  it.each([
    ['*', 'anybody@example.com', true],
    ['*@example.org', 'Ada@Example.org', true],
    ['*@example.org', 'ada@example.org.evil.example', false],
    ['+49151*', '+4915112345678', true],
    ['+49151*', '+491', false],
    ['a*b*c', 'a--b--c', true],
    ['a*b*c', 'a--c--b', false],
    ['ab*ba', 'aba', false],
    ['exact@example.com', 'exact@example.com', true],
    ['exact@example.com', 'exact@example.com.au', false],
    ['.*', 'anything', false],
  ])('%s fits %s: %s', (to, recipient, fits) => {
    expect(ruledFate(scenario(rule({ to })), asked(recipient), () => 0) !== undefined).toBe(fits);
  });

  it('fits every text that is made by filling its gaps', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z@.]{0,5}$/), { minLength: 1, maxLength: 5 }),
        fc.stringMatching(/^[a-z@.]{0,6}$/),
        (parts, filling) => {
          const fate = ruledFate(scenario(rule({ to: parts.join('*') })), asked(parts.join(filling)), () => 0);
          expect(fate).toEqual({ kind: 'quiet' });
        },
      ),
    );
  });

  it('holds for its vendor and its share; the first that fits decides', () => {
    const rules = scenario(
      rule({ vendor: 'sendgrid', fate: { kind: 'burst', status: 503 } }),
      rule({ share: 30, fate: { kind: 'slow', ms: 5 } }),
      rule({ fate: { kind: 'refuse', code: '21610' } }),
    );
    expect(ruledFate(rules, asked('x', 'sendgrid'), () => 0.99)).toEqual({ kind: 'burst', status: 503 });
    expect(ruledFate(rules, asked('x'), () => 0.29)).toEqual({ kind: 'slow', ms: 5 });
    expect(ruledFate(rules, asked('x'), () => 0.31)).toEqual({ kind: 'refuse', code: '21610' });
  });

  it('leaves a code that was not given out', () => {
    const found = ruledFate(scenario(rule({ fate: { kind: 'bounce', code: undefined } })), asked('x'), () => 0);
    expect(Object.keys(found ?? {})).toEqual(['kind']);
  });

  it('lets the address decide where none fits', () => {
    expect(fateFor(emptyScenario, asked('bounce@example.com'), () => 0)).toEqual({ kind: 'bounce' });
    const spared = scenario(rule({ to: 'bounce@*', fate: { kind: 'catch' } }));
    expect(fateFor(spared, asked('bounce@example.com'), () => 0)).toEqual({ kind: 'catch' });
  });
});

describe('the fate an address decides', () => {
  it.each([
    ['ada@example.com', 'catch'],
    ['Complain+1@example.com', 'complain'],
    ['constructor@example.com', 'catch'],
    ['bouncer@example.com', 'catch'],
    ['defer@example.com', 'burst'],
    ['+4915112345678', 'catch'],
    ['+15005550006', 'catch'],
    ['+15005550130', 'quiet'],
    ['malformed-token', 'malformed'],
    [`dead${'0'.repeat(60)}`, 'refuse'],
    [`4290${'a'.repeat(60)}`, 'throttle'],
    ['quietness', 'catch'],
  ])('%s: %s', (recipient, kind) => {
    expect(fateOfAddress(recipient).kind).toBe(kind);
  });

  it("has Twilio's codes for Twilio's magic numbers", () => {
    expect(fateOfAddress('+15005550009')).toEqual({ kind: 'refuse', code: '21614' });
    expect(fateOfAddress('refuse@example.com')).toEqual({ kind: 'refuse' });
  });
});

describe('a fate over SMTP', () => {
  it.each([
    [{ kind: 'refuse', code: 'x' }, 550],
    [{ kind: 'block' }, 550],
    [{ kind: 'burst', status: 500 }, 451],
    [{ kind: 'throttle', afterSeconds: 12 }, 451],
    [{ kind: 'complain' }, undefined],
    [{ kind: 'quiet' }, undefined],
  ] as const)('%j is %s', (fate, code) => {
    expect(refusalOf(behaviourOfFate(fate))?.code).toBe(code);
  });

  it('says how long to wait', () => {
    expect(refusalOf(behaviourOfFate({ kind: 'throttle', afterSeconds: 12 }))?.text).toContain('in 12 seconds');
  });
});

describe('a callback', () => {
  const given = { delayMs: 100, duplicatePercent: 50, shufflePercent: 50, lostPercent: 10 };
  const drawing =
    (...draws: number[]) =>
    () =>
      draws.shift() ?? 0.99;

  it('comes after its own delay and the one of the scenario', () => {
    expect(callbackDelays(emptyScenario.callbacks, 40, () => 0.5)).toEqual([40]);
    expect(callbackDelays(given, 40, () => 0.99)).toEqual([140]);
  });

  it('is lost, held back or made twice as the chance falls', () => {
    expect(callbackDelays(given, 40, drawing(0.05))).toEqual([]);
    expect(callbackDelays(given, 40, drawing(0.5, 0.1, 0.25))).toEqual([2640]);
    expect(callbackDelays(given, 40, drawing(0.5, 0.9, 0.1, 0.9))).toEqual([140, 190]);
  });
});
