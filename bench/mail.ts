/** The mail that is measured with: four links, four variables, about 1.5 kB of HTML; the same words for Parley and for the floor. */
export const subject = '{{ contact.first_name }}, news from {{ contact.city }}';

const paragraph =
  'This month we opened two workshops, planted nine trees and answered every letter. Come and see what grew, bring a friend, and tell us what you would like to hear about next time.';

const link = (n: number) => `https://example.com/c/{{ token }}.${n}`;

export const text = `Hello {{ contact.first_name }} {{ contact.last_name }},\n\n${paragraph}\n\n${link(0)}\n\nYour plan: {{ contact.plan }}\n\nLeave: ${link(3)}\n`;

const page = (
  links: readonly string[],
) => `<!doctype html><html><head><title>News</title></head><body style="font-family:sans-serif">
<h1>Hello {{ contact.first_name }} {{ contact.last_name }}</h1><p>${paragraph}</p><p>${paragraph}</p>
<p><a href="${links[0]}">Read on</a> · <a href="${links[1]}">Workshops in {{ contact.city }}</a> · <a href="${links[2]}">Your {{ contact.plan }} plan</a></p>
<p style="color:#555"><a href="${links[3]}">Unsubscribe</a></p></body></html>`;

export const html = page([link(0), link(1), link(2), link(3)]);

/** As a marketer writes it: Parley makes the links signed ones itself. */
export const source = {
  subject,
  html: page([
    'https://example.com/news',
    'https://example.com/workshops',
    'https://example.com/plan',
    '{{ unsubscribe_url }}',
  ]),
};
