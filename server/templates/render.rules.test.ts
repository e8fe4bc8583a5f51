import fc from 'fast-check';
import { parseDocument } from 'htmlparser2';
import { describe, expect, test } from 'vitest';
import { createRenderer } from './render.rules.ts';
import { createRendererCache } from './renderers.ts';
import { at, createCompiler, inputFor, urls } from './testing.ts';

const { compile, render, message } = createCompiler();

async function rendererOf(html: string, extra: { subject?: string; text?: string } = {}) {
  const { compiled, problems } = await compile({ html, ...extra });
  if (compiled === undefined) throw new Error(JSON.stringify(problems));
  return createRenderer(compiled, () => at);
}

/** The tags and attribute names of a piece of HTML: what a value must not be able to change. */
function shapeOf(html: string): string {
  const names: string[] = [];
  const visit = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    if ('name' in node && typeof node.name === 'string' && 'attribs' in node)
      names.push(`${node.name}(${Object.keys(node.attribs as object).join()})`);
    if ('children' in node && Array.isArray(node.children)) node.children.forEach(visit);
  };
  visit(parseDocument(html));
  return names.join(' ');
}

describe('a contact’s value', () => {
  test('cannot break out of text, attribute, address, style or script', async () => {
    const renderer = await rendererOf(
      '<p title="{{ contact.v }}" data-x=\'{{ contact.v }}\'>{{ contact.v }}</p><a href="https://a.example/{{ contact.v }}" data-parley-track="off">x</a>' +
        '<img src="https://a.example/?q={{ contact.v }}"><div style="color:{{ contact.v }};margin:0">x</div>' +
        '<style>p{color:{{ contact.v }}}</style><script type="application/ld+json">{"name":"{{ contact.v }}"}</script><!-- {{ contact.v }} --><b>end</b>',
      { subject: 'Hi {{ contact.v }}', text: '{{ contact.v }}' },
    );
    const calm = renderer.render(inputFor({ v: 'a' }));
    if (!('html' in calm)) throw new Error('does not render');
    const shape = shapeOf(calm.html ?? '');
    const nasty = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.string({
        unit: fc.constantFrom(
          '<',
          '>',
          '"',
          "'",
          '&',
          '`',
          '=',
          '/',
          '\\',
          '{',
          '}',
          '%',
          '-',
          '!',
          ';',
          ':',
          '(',
          ')',
          '\n',
          '\r',
          '\0',
          'script',
          'x',
          ' ',
          '\u2028',
          '\ud800',
        ),
        maxLength: 40,
      }),
    );
    fc.assert(
      fc.property(nasty, (v) => {
        const out = renderer.render(inputFor({ v }));
        if (!('html' in out)) throw new Error(`does not render: ${JSON.stringify(out)}`);
        const html = out.html ?? '';
        expect(shapeOf(html)).toBe(shape);
        expect(out.subject).not.toMatch(/[\u0000-\u001f\u007f\u2028\u2029]/);
        const json = /ld\+json">(.*?)<\/script>/s.exec(html)?.[1] ?? '';
        expect(() => JSON.parse(json)).not.toThrow();
        const style = /<style>p\{color:(.*?)\}<\/style>/s.exec(html)?.[1];
        expect(style).not.toMatch(/[{};:/\\]/);
      }),
      { numRuns: 500 },
    );
  });

  test('is not run as Liquid', async () => {
    const { html } = await message(
      { html: '<p>{{ contact.v }}</p>' },
      inputFor({ v: '{{ contact.secret }}', secret: 's' }),
    );
    expect(html).toContain('<p>{{ contact.secret }}</p>');
  });

  test('goes into the text part and the subject unescaped, the subject on one line', async () => {
    const given = { subject: '{{ contact.v }}', text: '{{ contact.v }}' };
    const { subject, text } = await message(given, inputFor({ v: 'A & "B"\r\nBcc: x@example.com' }));
    expect(subject).toBe('A & "B" Bcc: x@example.com');
    expect(text).toBe('A & "B"\r\nBcc: x@example.com');
  });

  test('is printed as it is where the author says so', async () => {
    expect((await message({ html: '<p>{{ contact.v | raw }}</p>' }, inputFor({ v: '<b>x</b>' }))).html).toContain(
      '<p><b>x</b></p>',
    );
  });

  test.each([
    ['escape', '&lt;b&gt;'],
    ['newline_to_br', '&lt;b&gt;'],
    ['upcase', '&lt;B&gt;'],
  ])('through | %s is escaped once', async (filter, expected) => {
    expect((await message({ html: `<p>{{ contact.v | ${filter} }}</p>` }, inputFor({ v: '<b>' }))).html).toContain(
      `<p>${expected}</p>`,
    );
  });
});

describe('rendering', () => {
  test('never throws, whatever the data', async () => {
    const renderer = await rendererOf(
      '{% for i in variables.list %}{{ i.a | upcase }}{% endfor %}{{ contact.a | date: "%Y" }}{{ contact.b | plus: 1 }}{{ contact.c | split: "," | first }}{{ contact.d | number: 2 }}<a href="{{ contact.e }}">x</a>',
    );
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('a', 'b', 'c', 'd', 'e', 'locale', 'time_zone', '__proto__', 'constructor'),
          fc.jsonValue(),
        ),
        fc.jsonValue(),
        (contact, list) => {
          const out = renderer.render(inputFor(contact, { list }));
          expect('subject' in out || 'missing' in out || 'failure' in out).toBe(true);
          renderer.resolveLink(0, inputFor(contact));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('names every variable that is missing without a default', async () => {
    const given = {
      subject: '{{ contact.a }}',
      html: '{{ variables.b }}{{ contact.c.d }}{{ contact.e | default: "x" }}',
    };
    expect(await render(given, inputFor({ c: {} }))).toEqual({ missing: ['contact.a', 'contact.c.d', 'variables.b'] });
  });

  test.each([
    ['{{ contact.x }}', ['contact.x']],
    ['{{ contact.x | upcase }}', ['contact.x']],
    ['{% assign y = contact.x %}{{ y }}', ['contact.x']],
    ['{% for y in contact.x %}{% endfor %}', ['contact.x']],
    ['<a href="https://a.example/{{ contact.x }}">x</a>', ['contact.x']],
    ['{{ contact.first_name | default: contact.x }}', ['contact.x']],
    ['{{ contact.constructor }}', ['contact.constructor']],
    ['{{ contact.__proto__ }}', ['contact.__proto__']],
    ['{{ contact.__proto__.constructor }}', ['contact.__proto__']],
    ['{{ contact["constructor"]["constructor"] }}', ['contact.constructor']],
    ['{{ contact.name.constructor }}', ['contact.name.constructor']],
    ['{{ contact.hasOwnProperty }}', ['contact.hasOwnProperty']],
  ])('%s without a value is missing', async (html, missing) => {
    const result = await render({ html }, inputFor({ name: 'Ada', first_name: 'A' }));
    expect(result).toMatchObject({ missing: expect.arrayContaining(missing) });
  });

  test.each([
    '{% if contact.x %}{{ contact.x }}{% endif %}ok',
    '{% unless contact.x %}ok{% endunless %}',
    '{% case contact.x %}{% when "a" %}no{% else %}ok{% endcase %}',
    '{% if contact.x == "a" and contact.y %}no{% else %}ok{% endif %}',
    '{{ contact.x | default: "ok" }}',
    '{{ contact["x"] | default: "ok" | downcase }}',
  ])('%s does without one', async (html) => {
    expect((await message({ html })).html).toContain('ok');
  });

  test('null counts as missing, also inside of what a call gives', async () => {
    expect(await render({ html: '{{ contact.a }}' }, inputFor({ a: null }))).toEqual({ missing: ['contact.a'] });
    expect(await render({ html: '{{ variables.a.b }}' }, inputFor({}, { a: { b: null } }))).toMatchObject({
      missing: ['variables.a.b'],
    });
  });

  test('an empty text is no missing one, but takes the default', async () => {
    const html =
      '<p>[{{ contact.a }}][{{ contact.a | default: "d" }}][{{ contact.zero | default: "d" }}][{{ contact.no | default: "d" }}]</p>';
    expect((await message({ html }, inputFor({ a: '', zero: 0, no: false }))).html).toContain('[][d][0][d]');
  });

  test('direct reading and the interpreter print the same', async () => {
    const values = fc.oneof(
      fc.string(),
      fc.double({ noNaN: true }),
      fc.integer(),
      fc.boolean(),
      fc.array(fc.string(), { maxLength: 3 }),
      fc.constant(null),
    );
    const direct = await rendererOf('[{{ contact.v | default: "d" }}]', { text: '[{{ contact.v }}]' });
    const interpreted = await rendererOf('[{{ contact["v"] | default: "d" }}]', { text: '[{{ contact["v"] }}]' });
    fc.assert(
      fc.property(values, (v) => {
        expect(direct.render(inputFor({ v }))).toEqual(interpreted.render(inputFor({ v })));
      }),
    );
  });

  test('an empty subject is a failure', async () => {
    expect(await render({ subject: '{{ contact.a }}', html: 'x' }, inputFor({ a: ' ' }))).toEqual({
      failure: 'the subject is empty',
      where: 'subject',
    });
  });

  test('dates and numbers come in the reader’s language and zone; a day stays the day it is', async () => {
    const html =
      '{{ "now" | date: "%A %d %B %H:%M" }}|{{ contact.born | date: "%d.%m.%Y" }}|{{ contact.n | number }}|{{ contact.n | money: "EUR" }}|{{ contact.n | number: 2 }}';
    const data = { born: '1990-05-01', n: 1234.5 };
    const berlin = await message({ html }, inputFor({ ...data, locale: 'de-DE', time_zone: 'Europe/Berlin' }));
    expect(berlin.html).toContain('Samstag 14 März 23:30|01.05.1990|1.234,5|1.234,50\u00a0€|1.234,50');
    const york = await message({ html }, inputFor({ ...data, locale: 'en-US', time_zone: 'America/New_York' }));
    expect(york.html).toContain('Saturday 14 March 18:30|01.05.1990|1,234.5|€1,234.50|1,234.50');
    const strange = await message({ html }, inputFor({ ...data, locale: 'xx_!!', time_zone: 'Mars/Olympus' }));
    expect(strange.html).toContain('Saturday 14 March 22:30');
  });

  test('one message leaves nothing behind for the next', async () => {
    const renderer = await rendererOf('{% increment n %}{% increment n %}{% assign y = contact.a %}{{ y }}');
    const first = renderer.render(inputFor({ a: '1' }));
    expect(renderer.render(inputFor({ a: '1' }))).toEqual(first);
  });
});

describe('where a click leads', () => {
  const resolve = async (href: string, contact: Record<string, unknown> = {}) =>
    (await rendererOf(`<a href="${href}">x</a>`)).resolveLink(0, inputFor(contact));

  test('values are encoded for their place', async () => {
    expect(
      await resolve('https://a.example/{{ contact.p }}/x?q={{ contact.v }}&amp;r=1#{{ contact.v }}', {
        p: 'a b/c?',
        v: 'a&b=c +ü',
      }),
    ).toBe('https://a.example/a%20b/c%3F/x?q=a%26b%3Dc%20%2B%C3%BC&r=1#a%26b%3Dc%20%2B%C3%BC');
    expect(await resolve('https://a.example/?q={{ contact.v | url_encode }}', { v: 'a b' })).toBe(
      'https://a.example/?q=a+b',
    );
  });

  test('a value cannot choose another host', async () => {
    expect(await resolve('https://a.example{{ contact.v }}', { v: '@evil.example/' })).toBe(
      'https://a.exampleevil.example/',
    );
    expect(await resolve('https://a.example/{{ contact.v }}', { v: '/evil.example' })).toBe(
      'https://a.example//evil.example',
    );
  });

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'ftp://a.example/',
    '//evil',
    'nothing',
    '',
    'https://',
    'http://a\nb.example/',
    'vbscript:x',
  ])('an address from data that is not http or https leads nowhere: %j', async (site) => {
    expect(await resolve('{{ contact.site }}', { site })).toBeUndefined();
  });

  test('a whole address from data is taken when it is one', async () => {
    expect(await resolve('{{ contact.site }}', { site: 'https://ok.example/a?b=c' })).toBe('https://ok.example/a?b=c');
  });

  test('no link, or a value that is gone since, leads nowhere', async () => {
    const renderer = await rendererOf('<a href="https://a.example/{{ contact.x }}">x</a>');
    expect(renderer.resolveLink(7, inputFor())).toBeUndefined();
    expect(renderer.resolveLink(-1, inputFor())).toBeUndefined();
    expect(renderer.resolveLink(0, inputFor())).toBeUndefined();
  });

  test('the address of a message is escaped where it stands', async () => {
    const renderer = await rendererOf('<a href="https://a.example/">x</a>');
    const out = renderer.render({ ...inputFor(), urls: { ...urls, click: () => 'https://go.example/?a=1&b="' } });
    expect('html' in out && out.html).toContain('href="https://go.example/?a=1&amp;b=&#34;"');
  });
});

describe('a preview', () => {
  test('shows the parts that work beside those that do not', async () => {
    const renderer = await rendererOf('{{ contact.a }}', { subject: 'Fine', text: '{{ contact.b | money }}' });
    expect(renderer.preview(inputFor({ b: 1 }))).toEqual({
      subject: 'Fine',
      html: null,
      text: null,
      faults: [
        { where: 'html', missing: 'contact.a', message: 'contact.a has no value here and no default' },
        { where: 'text', message: 'money needs a currency: {{ x | money: "EUR" }}' },
      ],
    });
  });
});

describe('the cache of parsed versions', () => {
  test('forgets the one not used for the longest time', async () => {
    const { compiled } = await compile({ html: 'x'.repeat(2_000) });
    if (compiled === undefined) throw new Error('does not compile');
    const cache = createRendererCache(() => at, 12_000);
    const first = cache.put('1', compiled);
    cache.put('2', compiled);
    expect(cache.get('1')).toBe(first);
    cache.put('3', compiled);
    expect(cache.get('2')).toBeUndefined();
    expect(cache.get('1')).toBe(first);
  });
});

describe('a message in two parts', () => {
  const source =
    '<p>{% if contact.vip %}Dear {% endif %}{{ contact.v }}</p><a href="https://a.example/{{ contact.v }}">x</a>';
  const joined = (shape: readonly (string | number)[] | undefined, values: readonly string[]) =>
    (shape ?? []).map((one) => (typeof one === 'number' ? (values[one] ?? '<gap>') : one)).join('');

  test('says, put together, what it says in one', async () => {
    const renderer = await rendererOf(source, { subject: 'Hi {{ contact.v }}', text: '{{ contact.v }}!' });
    for (const v of ['Ada', '<b>&', 'a\r\nb']) {
      const whole = renderer.render(inputFor({ v, vip: v === 'Ada' }), true);
      if (!('html' in whole) || whole.merge === undefined) throw new Error('does not render in parts');
      const { shape, values } = whole.merge;
      expect(joined(shape.subject, values)).toBe(whole.subject);
      expect(joined(shape.html, values)).toBe(whole.html);
      // The subject's own line breaks are gone from its value; the text keeps its.
      expect(joined(shape.text, values)).toBe(whole.text);
    }
  });

  test('shares one shape with every other message of its version', async () => {
    const renderer = await rendererOf(source, { subject: 'Hi {{ contact.v }}', text: '{{ contact.v }}!' });
    const [one, other] = ['Ada', 'Bo'].map((v) => renderer.render(inputFor({ v, vip: false }), true));
    if (one === undefined || other === undefined || !('merge' in one) || !('merge' in other))
      throw new Error('no parts');
    expect(one.merge?.shape).toBe(other.merge?.shape);
    expect(one.merge?.values).not.toEqual(other.merge?.values);
  });

  test('is not offered when a template ends itself in the middle', async () => {
    const renderer = await rendererOf('<p>{% if contact.vip %}{% break %}{% endif %}</p><p>{{ contact.v }}</p>');
    const ended = renderer.render(inputFor({ v: 'Ada', vip: true }), true);
    expect('html' in ended && ended.merge).toBeUndefined();
  });
});
