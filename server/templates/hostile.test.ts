import { describe, expect, test } from 'vitest';
import { createMjmlCompiler } from './mjml.ts';
import { createCompiler, errorsOf, inputFor } from './testing.ts';

const { compile, render } = createCompiler();

describe('loops and mass', () => {
  test.each([
    ['a range without end', '{% for i in (1..100000000) %}x{% endfor %}', 'makes too much'],
    [
      'loops in loops',
      '{% for i in (1..9000) %}{% for j in (1..9000) %}{{ j }}{% endfor %}{% endfor %}',
      'an endless loop?',
    ],
    [
      'text that doubles',
      `{% assign a = "${'x'.repeat(99)}" %}${'{% assign a = a | append: a %}'.repeat(40)}{{ a }}`,
      'makes too much',
    ],
    [
      'much out of little',
      `{% for i in (1..3000) %}${'x'.repeat(2_000)}{% endfor %}`,
      'longer than 2,000,000 characters',
    ],
  ])('%s are refused when they are saved', async (_what, html, message) => {
    expect(errorsOf(await compile({ html }))).toEqual([
      expect.stringContaining(message),
      expect.stringContaining(message),
    ]);
  });

  test('that depend on a contact end with a clear error', async () => {
    const html = '{% for i in (1..contact.count) %}x{% endfor %}';
    expect(await render({ html }, inputFor({ count: 100_000_000 }))).toMatchObject({
      where: 'html',
      failure: expect.stringContaining('makes too much'),
    });
  });

  test('blocks nested thousands deep', async () => {
    const deep = `${'{% if contact.a %}'.repeat(2_000)}x${'{% endif %}'.repeat(2_000)}`;
    const found = await compile({ html: deep });
    const result =
      found.compiled === undefined
        ? errorsOf(found)[0]
        : JSON.stringify(await render({ html: deep }, inputFor({ a: 1 })));
    expect(result).toBeDefined();
    expect(errorsOf(await compile({ html: '{% if contact.a %}'.repeat(20_000) }))[0]).toMatch(
      /nested too deeply|more than 3000 pieces/,
    );
  });

  test('more pieces of Liquid than can be parsed quickly', async () => {
    expect(errorsOf(await compile({ html: '{{ contact.a }}'.repeat(30_000) }))).toEqual([
      'html:- has more than 3000 pieces of Liquid',
    ]);
  });

  test('HTML nested ten thousand deep', async () => {
    const { compiled } = await compile({ html: `${'<div>'.repeat(10_000)}x` });
    expect(compiled).toBeDefined();
  });

  test('MJML with more elements, or deeper, than any mail', async () => {
    const many = `<mjml><mj-body>${'<x/>\n'.repeat(20_000)}</mj-body></mjml>`;
    expect(errorsOf(await compile({ mjml: many }))).toContain('mjml:- has more than 3000 elements');
    const deep = `<mjml><mj-body>${'<mj-wrapper>'.repeat(60)}</mj-body></mjml>`;
    expect(errorsOf(await compile({ mjml: deep }))).toContain('mjml:1 elements are nested more than 50 deep');
  });

  test('MJML that takes too long is stopped, and costs nobody else their turn', async () => {
    const compiler = createMjmlCompiler({ timeoutMs: 1_500 });
    try {
      // Far beyond what is let through to MJML: it looks up the line of each element by walking over all lines.
      const slow = compiler.compile(`<mjml><mj-body>${'<x/>\n'.repeat(60_000)}</mj-body></mjml>`);
      const quick = compiler.compile('<mjml><mj-body></mj-body></mjml>');
      expect(await slow).toEqual({ failure: 'takes longer than 1.5 s to compile' });
      expect(await quick).toMatchObject({ errors: [] });
    } finally {
      await compiler.close();
    }
  });

  test('what waits when everything stops is told so', async () => {
    const compiler = createMjmlCompiler();
    const waiting = [compiler.compile('<mjml></mjml>'), compiler.compile('<mjml></mjml>')];
    await compiler.close();
    expect(await Promise.all(waiting)).toEqual([{ failure: 'stopped' }, { failure: 'stopped' }]);
  });
});

describe('files and code', () => {
  test.each([
    '{% include "/etc/passwd" %}',
    "{% include '../../../../etc/passwd' %}",
    '{% render "/etc/passwd" %}',
    '{% layout "/etc/passwd" %}',
    '{% block a %}{% endblock %}',
    '{% liquid\n include "/etc/passwd"\n%}',
  ])('%s is refused', async (html) => {
    expect(errorsOf(await compile({ html }))[0]).toMatch(/reads other files, which a template cannot/);
  });

  test.each([
    '{{ contact.name | map: "constructor" }}',
    '{{ contact | map: "__proto__" | json }}',
    '{{ contact.list | where: "constructor", contact.name | json }}',
    '{% assign __proto__ = "x" %}{{ contact.name }}',
    '{% for p in contact.__proto__ %}{{ p }}{% endfor %}',
    '{% capture constructor %}x{% endcapture %}{{ constructor }}',
  ])('%s reaches nothing but data', async (html) => {
    const result = await render({ html }, inputFor({ name: 'Ada', list: [{ a: 1 }] }));
    expect(JSON.stringify(result)).not.toMatch(/native code|function/i);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});
