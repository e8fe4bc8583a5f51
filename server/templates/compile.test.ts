import { describe, expect, test } from 'vitest';
import { createCompiler, errorsOf, inputFor, warningsOf } from './testing.ts';

const { compile, message } = createCompiler();

const section = (content: string) =>
  `<mjml><mj-body><mj-section><mj-column>${content}</mj-column></mj-section></mj-body></mjml>`;

describe('MJML', () => {
  test('becomes HTML in which Liquid still works, in text, attributes and styles', async () => {
    const { html } = await message(
      {
        mjml: section(
          '<mj-text>Hi {{ contact.name | default: "friend" }}</mj-text>' +
            '<mj-button href="https://a.example/?n={{ contact.name | default: "x" }}" background-color="{{ variables.color }}">Go</mj-button>',
        ),
      },
      inputFor({}, { color: '#ff0000' }),
    );
    expect(html).toContain('Hi friend</div>');
    expect(html).toContain('href="https://go.example/t/c/TOKEN.0"');
    expect(html).toContain('background:#ff0000');
    expect(html).toContain('bgcolor="#ff0000"');
  });

  test('keeps Liquid that stands between its elements', async () => {
    const source = {
      mjml: `<mjml><mj-body>
        {% if contact.vip %}<mj-section><mj-column><mj-text>VIP part</mj-text></mj-column></mj-section>{% endif %}
        <mj-section><mj-column>{% for i in (1..3) %}<mj-text>row {{ i }}</mj-text>{% endfor %}</mj-column></mj-section>
      </mj-body></mjml>`,
    };
    const plain = await message(source);
    expect(plain.html).not.toContain('VIP part');
    expect(plain.html?.match(/row \d/g)).toEqual(['row 1', 'row 2', 'row 3']);
    expect(plain.text).toContain('row 3');
    expect((await message(source, inputFor({ vip: true }))).html).toContain('VIP part');
  });

  test('keeps operators and quotes that would end a tag or an attribute', async () => {
    const { html } = await message({
      mjml: section('<mj-text>{% if 1 < 2 and "a>b" == "a>b" %}yes{% else %}no{% endif %}</mj-text>'),
    });
    expect(html).toContain('>yes<');
  });

  test('does not make the reader fetch fonts from elsewhere', async () => {
    const { html } = await message({ mjml: section('<mj-text>x</mj-text>') });
    expect(html).not.toContain('fonts.googleapis.com');
  });

  test('survives inlined styles, which rebuild the HTML', async () => {
    const { html } = await message({
      mjml:
        '<mjml><mj-head><mj-style inline="inline">.a { color: red; }</mj-style></mj-head><mj-body><mj-section><mj-column>' +
        '<mj-text css-class="a">{% if "a" contains "a" %}{{ "it\'s" }}{% endif %} <a href="https://a.example/?x=1&amp;y={{ contact.n | default: "q" }}">x</a></mj-text>' +
        '</mj-column></mj-section></mj-body></mjml>',
    });
    expect(html).toContain('it&#39;s');
    expect(html).toContain('color: red');
    expect(html).toContain('href="https://go.example/t/c/TOKEN.0"');
  });

  test.each([
    ['<mjml><mj-body><mj-foo>a</mj-foo></mj-body></mjml>', "mjml:1 Element mj-foo doesn't exist or is not registered"],
    [
      '<mjml>\n<mj-body>\n<mj-include path="/etc/passwd" />\n</mj-body></mjml>',
      'mjml:3 mj-include reads other files, which a template cannot',
    ],
    [
      '{% assign a = 1 %}<mjml><mj-body></mj-body></mjml>',
      'mjml:1 Liquid can stand inside <mj-body> and <mj-head>, not outside of them',
    ],
    ['hello', 'mjml:- Parsing failed. Check your mjml.'],
    ['<mjml></mjml>', 'mjml:- Malformed MJML. Check that your structure is correct and enclosed in <mjml> tags.'],
  ])('refuses %j and says where', async (mjml, error) => {
    expect(errorsOf(await compile({ mjml }))).toContain(error);
  });

  test('refuses a width from Liquid, which MJML would turn into NaN', async () => {
    const mjml =
      '<mjml><mj-body><mj-section>\n<mj-column width="{{ variables.w }}"><mj-text>x</mj-text></mj-column></mj-section></mj-body></mjml>';
    expect(errorsOf(await compile({ mjml }))[0]).toMatch(
      /^mjml:2 <mj-column>: Attribute width has invalid value: \{\{ variables\.w \}\}/,
    );
  });

  test('warns of a misspelt attribute and of text that is not shown', async () => {
    const mjml =
      '<mjml><mj-body><mj-section>lost words<mj-column><mj-text paddng="1px">x</mj-text></mj-column></mj-section></mj-body></mjml>';
    const compiled = await compile({ mjml });
    expect(compiled.compiled).toBeDefined();
    expect(warningsOf(compiled)).toEqual([
      'mjml:1 "lost words" stands directly in <mj-section> and is not shown; put it in <mj-text>',
      'mjml:1 <mj-text>: Attribute paddng is illegal',
    ]);
  });

  test('counts lines as the author does, also after Liquid that spans some', async () => {
    const mjml = '<mjml><mj-body>{% if\n contact.a\n %}\n<mj-foo />{% endif %}</mj-body></mjml>';
    expect(errorsOf(await compile({ mjml }))).toContain("mjml:4 Element mj-foo doesn't exist or is not registered");
  });
});

describe('links', () => {
  const html = (body: string) => ({ html: `<html><body>${body}</body></html>` });

  test('are numbered in order and taken out, entities decoded', async () => {
    const { compiled } = await compile(
      html(
        '<a href="https://a.example/?x=1&amp;y=2">1</a><a href=\'{{ contact.site }}\'>2</a><a href=https://b.example/>3</a>',
      ),
    );
    expect(compiled?.links).toEqual([
      { n: 0, url: 'https://a.example/?x=1&y=2', tracked: true },
      { n: 1, url: '{{ contact.site }}', tracked: true },
      { n: 2, url: 'https://b.example/', tracked: true },
    ]);
    expect(compiled?.html).toContain('<a href="{{ 2 | parley_link }}">3</a>');
  });

  test('leave every other byte of HTML as it was written', async () => {
    const body = '<P  CLASS=x>a & b &nbsp;<BR><a title=\'q\' href="https://a.example/" >x</a>\n<!-- keep --></p>';
    const { compiled } = await compile({ html: body });
    const untouched = compiled?.html
      ?.replace('{{ 0 | parley_link }}', 'https://a.example/')
      .replace(/<img class="parley-pixel".*>$/, '');
    expect(untouched).toBe(body);
  });

  test.each([
    '{{ unsubscribe_url }}',
    '{{ preferences_url }}',
    'mailto:a@example.com',
    'tel:+4930901820',
    '#top',
    '{{unsubscribe_url}}?lang=de',
  ])('%s is not tracked', async (href) => {
    const { compiled } = await compile(html(`<a href="${href}">x</a>`));
    expect(compiled?.links).toEqual([]);
    expect(compiled?.html).toContain(`href="${href}"`);
  });

  test('marked with data-parley-track="off" are not tracked', async () => {
    const { compiled } = await compile(html('<a data-parley-track="off" href="https://a.example/">x</a>'));
    expect(compiled?.links).toEqual([]);
  });

  test('to scripts are refused with their line', async () => {
    const refused = await compile({ html: '<p>\n<a href=" java&#10;script:alert(1)">x</a></p>' });
    expect(errorsOf(refused)).toEqual([
      'html:2 a link may lead to http, https, mailto, tel or sms addresses, not to "javascript:"',
    ]);
  });

  test('whose address only exists inside a loop go out as they are, and this is said', async () => {
    const given = html('{% for p in variables.products %}<a href="{{ p.url }}">{{ p.name }}</a>{% endfor %}');
    expect(warningsOf(await compile(given))[0]).toMatch(/clicks on the link with p\.url are not counted/);
    const products = [
      { name: 'A', url: 'https://a.example/1' },
      { name: 'B', url: 'javascript:alert(1)' },
    ];
    const out = await message(given, inputFor({}, { products }));
    expect(out.html).toContain('<a href="https://a.example/1">A</a><a href="#">B</a>');
  });

  test('without a scheme are pointed out', async () => {
    expect(warningsOf(await compile(html('<a href="example.com">x</a>')))[0]).toMatch(/leads nowhere in a mail/);
  });
});

describe('what every mail carries', () => {
  test('an open pixel before the end of the body', async () => {
    const { html } = await message({ html: '<html><body><p>x</p></body></html>' });
    expect(html).toMatch(
      /<p>x<\/p><img class="parley-pixel" src="https:\/\/go\.example\/t\/o\/TOKEN"[^>]*><\/body><\/html>$/,
    );
  });

  test('marketing gets the unsubscribe link and the postal address in HTML and text when its author left them out', async () => {
    const given = { html: '<p>x</p>', text: 'x', category: 'marketing' as const, locale: 'de' };
    const { html, text } = await message(given);
    expect(html).toContain('1 Road<br>Town<br><a href="https://go.example/u/TOKEN"');
    expect(html).toContain('>Abmelden</a>');
    expect(text).toContain('1 Road\nTown\nAbmelden: https://go.example/u/TOKEN\n');
    expect(html).toContain('https://go.example/p/TOKEN');
  });

  test('a text-only marketing mail gets it too', async () => {
    const { html, text } = await message({ text: 'x', category: 'marketing' });
    expect(html).toBeNull();
    expect(text).toContain('Unsubscribe: https://go.example/u/TOKEN');
  });

  test('it is not added twice', async () => {
    const { html } = await message({ html: '<a href="{{ unsubscribe_url }}">bye</a>', category: 'marketing' });
    expect(html?.match(/\/u\/TOKEN/g)).toHaveLength(1);
  });

  test.each([
    ['in a comment', '<!-- {{ unsubscribe_url }} --><p>x</p>'],
    ['for some readers only', '{% if contact.a %}<a href="{{ unsubscribe_url }}">bye</a>{% endif %}'],
    ['in a picture', '<img src="{{ unsubscribe_url }}">'],
  ])('a link %s does not count', async (_where, html) => {
    expect((await message({ html, category: 'marketing' })).html).toContain('>Unsubscribe</a>');
  });

  test('transactional mail is left alone', async () => {
    expect((await message({ html: '<p>x</p>' })).html).not.toContain('/u/TOKEN');
  });

  test('the preheader, hidden at the top, with its values escaped', async () => {
    const given = { html: '<html><body class="b"><p>x</p></body></html>', preheader: 'a < b {{ contact.n }}' };
    const { html, text } = await message(given, inputFor({ n: '<i>' }));
    expect(html).toMatch(/^<html><body class="b"><div class="parley-preheader"[^>]*>a &lt; b &lt;i&gt;/);
    expect(text).toBe('x\n');
  });
});

describe('plain text', () => {
  test('is made from the HTML: layout tables flattened, links written out, Liquid kept', async () => {
    const { text } = await message(
      {
        html:
          '<html><head><title>T</title><style>p{color:red}</style></head><body><table><tr><td><h1>Big</h1></td></tr><tr><td>' +
          '{% if contact.a %}<p>Hi {{ contact.a }}</p>{% endif %}<a href="https://a.example/">Go</a> &amp; more<img src="https://x.example/a.png" alt="picture"></td></tr></table></body></html>',
      },
      inputFor({ a: 'Ada & Co' }),
    );
    expect(text).toBe('Big\n\nHi Ada & Co\n\nGo <https://go.example/t/c/TOKEN.0> & more\n');
  });

  test('keeps names that were set where no text is', async () => {
    const { text } = await message({
      html: '<html><head>{% assign who = "Ada" %}</head><body>Hi {{ who }}</body></html>',
    });
    expect(text).toBe('Hi Ada\n');
  });

  test('does not run what is only written like Liquid', async () => {
    const { text } = await message({ html: '<p>&#123;&#123; contact.secret }} {% raw %}{{ kept }}{% endraw %}</p>' });
    expect(text).toBe('{{ contact.secret }} {{ kept }}\n');
  });

  test('given by the author is used as it is', async () => {
    expect((await message({ html: '<p>x</p>', text: 'mine {{ contact.a | default: "b" }}' })).text).toBe('mine b');
  });
});

describe('what is refused', () => {
  test.each([
    [{ subject: null, html: 'x' }, 'subject:- an e-mail needs a subject'],
    [{ html: 'x', mjml: section('') }, 'html:- give mjml or html, not both'],
    [{}, 'html:- there is nothing to send: write mjml, html or text'],
    [{ html: 'a\n{{ contact.a | shout }}' }, 'html:2 undefined filter: shout'],
    [{ html: 'a\n\n{% if contact.a %}' }, 'html:3 tag {% if contact.a %} not closed'],
    [
      { html: '{{ first_name }}' },
      'html:1 there is no variable "first_name": contacts\' values are written contact.first_name, values of the call variables.first_name',
    ],
    [{ html: '{{ workspace.owner }}' }, 'html:1 workspace has only workspace.name and workspace.postal_address'],
    [{ html: '{% assign contact = 1 %}' }, 'html:- "contact" is taken: use another name'],
    [{ subject: 'a {{', html: 'x' }, 'subject:1 output "{{" not closed'],
    [{ html: '<td {{ contact.a }}="1">' }, 'html:1 a value cannot stand where an attribute is named'],
    [{ html: '<\u0061 class={{ contact.a }}>' }, 'html:1 put quotes around the value of class'],
    [{ html: '<p onclick="{{ contact.a }}">' }, 'html:1 a value cannot stand in the script of onclick'],
    [{ html: '<{{ contact.a }}>x' }, 'html:1 a value cannot stand where a tag is named'],
    [{ html: '{{ 1 | parley_link }}' }, 'html:1 undefined filter: parley_link'],
    [{ html: '{% echo contact.a %}' }, 'html:1 write {{ … }} instead of "echo"'],
  ])('%j', async (given, error) => {
    expect(errorsOf(await compile(given))).toContain(error);
  });

  test('more than a megabyte when compiled; above 102 kB it warns of clipping', async () => {
    expect(errorsOf(await compile({ html: `<p>${'ä'.repeat(500_100)}</p>` }))[0]).toMatch(/at most 1,000 kB/);
    const long = await compile({ html: `<p>${'x'.repeat(110_000)}</p>` });
    expect(warningsOf(long)[0]).toMatch(/Gmail hides what comes after 102 kB/);
  });
});

describe('variables', () => {
  test('are listed once, without a default if any read has none', async () => {
    const { variables } = await compile({
      subject: '{{ contact.a | default: "x" }}',
      html:
        '{{ contact.a }} {{ contact.b | default: contact.c }} {% if contact.d %}{{ contact.d }}{% endif %}' +
        '{% for i in variables.list %}{{ i.name }}{{ forloop.index }}{% endfor %} {{ contact["e"] }} {% assign f = contact.g %}{{ f }}' +
        '<a href="https://a.example/{{ variables.h }}">x</a> {% case contact.k %}{% when "a" %}{% endcase %}',
    });
    expect(variables).toEqual([
      { name: 'contact.a', hasDefault: false },
      { name: 'contact.b', hasDefault: true },
      { name: 'contact.c', hasDefault: false },
      { name: 'contact.d', hasDefault: true },
      { name: 'contact.e', hasDefault: false },
      { name: 'contact.g', hasDefault: false },
      { name: 'contact.k', hasDefault: true },
      { name: 'variables.h', hasDefault: false },
      { name: 'variables.list', hasDefault: false },
    ]);
  });
});
