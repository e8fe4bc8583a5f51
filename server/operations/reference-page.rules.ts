/** The reference at /docs: one plain page made from the OpenAPI document, without a script. */

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const child = (value: unknown, key: string): unknown => (isObject(value) ? value[key] : undefined);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function escape(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const style = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
pre{background:color-mix(in srgb,CanvasText 7%,Canvas);padding:.75rem;overflow:auto;border-radius:.4rem;font-size:.85rem}
summary{cursor:pointer;padding:.35rem 0}code{font-size:.95em}.method{display:inline-block;min-width:4.5rem;font-weight:700}
nav ul{columns:3;padding-left:1.2rem}@media(max-width:40rem){nav ul{columns:1}}h2{border-bottom:1px solid;padding-top:1rem}`;

const example = `curl -s "$PARLEY/api/v1/messages/send_with_consent" \\
     -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -H 'Idempotency-Key: order-4711' \\
     -d '{"channel": "email", "topic": "news", "to": {"email": "ada@example.com"},
          "templateId": "…", "variables": {"number": "4711"}}'

{"data": [{"id": "…", "state": "planned", "decision": {"outcome": "send"}}]}
{"data": [{"id": "…", "state": "suppressed", "decision": {"outcome": "suppress", "reason": "withdrawn"}}]}`;

export function referencePage(document: Json): string {
  const groups = new Map<string, string[]>();
  for (const [path, methods] of Object.entries(child(document, 'paths') ?? {}))
    for (const [method, operation] of Object.entries(isObject(methods) ? methods : {})) {
      const tags = child(operation, 'tags');
      const tag = Array.isArray(tags) ? text(tags[0]) : '';
      groups.set(tag, [...(groups.get(tag) ?? []), operationBlock(method, path, operation)]);
    }
  const names = [...groups.keys()];
  const anchor = (name: string) => name.toLowerCase().replaceAll(/[^a-z]+/g, '-');
  const links = names.map((name) => `<li><a href="#${anchor(name)}">${escape(name)}</a></li>`).join('');
  const sections = names.map(
    (name) => `<h2 id="${anchor(name)}">${escape(name)}</h2>${(groups.get(name) ?? []).join('')}`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Parley API</title><style>${style}</style></head><body><main><h1>Parley API</h1>
<p>JSON over HTTP, with <code>Authorization: Bearer &lt;API key&gt;</code>. Errors are problem documents (RFC 9457). The machine-readable form is <a href="/api/v1/openapi.json">openapi.json</a>.</p>
<p>One message to somebody who agreed to the topic, and what is answered when they did, or when they unsubscribed. Up to 500 at once go in as <code>{"messages": […]}</code> and are answered in their order, a wrong one with an <code>error</code> in its place; the same Idempotency-Key with the same body never sends twice.</p>
<pre>${escape(example)}</pre>
<nav aria-label="Resources"><ul>${links}</ul></nav>${sections.join('')}</main></body></html>`;
}

function operationBlock(method: string, path: string, operation: unknown): string {
  const permission = text(child(operation, 'x-permission'));
  const description = text(child(operation, 'description'));
  const parameters = child(operation, 'parameters');
  const named = (Array.isArray(parameters) ? parameters : []).map(
    (one) =>
      `<li><code>${escape(text(child(one, 'name')))}</code> (${escape(text(child(one, 'in')))}${child(one, 'required') === true ? ', required' : ''})</li>`,
  );
  const body = firstSchema(child(child(operation, 'requestBody'), 'content'));
  const answers = child(operation, 'responses');
  const success = Object.entries(isObject(answers) ? answers : {}).find(([status]) => status !== 'default');
  const answer = firstSchema(child(success?.[1], 'content'));
  return `<details><summary><span class="method">${method.toUpperCase()}</span> <code>${escape(path)}</code> — ${escape(text(child(operation, 'summary')))}</summary>
${description === '' ? '' : `<p>${escape(description)}</p>\n`}<p>Permission: <code>${escape(permission)}</code></p>${named.length > 0 ? `<ul>${named.join('')}</ul>` : ''}
${body === undefined ? '' : `<p>Body</p><pre>${escape(JSON.stringify(body, null, 1))}</pre>`}
<p>Answer: ${escape(success?.[0] ?? '')}</p>${answer === undefined ? '' : `<pre>${escape(JSON.stringify(answer, null, 1))}</pre>`}</details>`;
}

function firstSchema(content: unknown): unknown {
  const first = isObject(content) ? Object.values(content)[0] : undefined;
  return child(first, 'schema');
}
