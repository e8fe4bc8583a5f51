import type { ContentSource } from '../../contract/template-content.ts';
import type { CompiledContent } from './compiled.ts';
import { createContentRenderer } from './content-render.rules.ts';
import { partsOf } from './content.rules.ts';
import type { Part } from './content.rules.ts';
import { limitMessages, plainEngine } from './engine.rules.ts';
import { checkLiquid, createFindings, localNames, parses } from './findings.rules.ts';
import type { Compilation, Findings } from './findings.rules.ts';
import type { CompiledLink } from './links.rules.ts';
import { urlSource } from './links.rules.ts';
import { optOutSentence, saysHowToLeave } from './opt-out.rules.ts';
import { expressionOf, protect } from './placeholders.rules.ts';
import type { Protected } from './placeholders.rules.ts';
import { sampleFor } from './sample.rules.ts';
import { addressProblem, takeTextLinks } from './text-links.rules.ts';
import { mergeVariables } from './variables.rules.ts';

export interface ContentInput {
  readonly source: ContentSource;
  readonly category: 'marketing' | 'transactional' | 'otp' | 'utility';
  readonly locale: string;
}

/** What can be found wrong before a message exists, by the rules of the channel. */
function checkChannel({ source, category }: ContentInput, findings: Findings): void {
  if (source.channel === 'sms' && source.text.trim() === '' && source.mediaUrls.length === 0)
    findings.error('text', null, 'there is nothing to send: write a text');
  if (source.channel !== 'whatsapp') return;
  const { content } = source;
  if (content.kind !== 'template' && category === 'otp')
    findings.error('content', null, 'a one-time code goes out in a template that Meta has approved');
  if (content.kind === 'text' && content.body.trim() === '')
    findings.error('content/body', null, 'there is nothing to send: write a text');
  if (content.kind !== 'template')
    findings.warn(
      'content',
      null,
      'goes only to people who wrote within 24 hours; at any time only templates that Meta has approved may',
    );
}

/** An advertising text that says nothing of how to leave is given a sentence that does. */
function withOptOut(part: Part, { source, category, locale }: ContentInput, findings: Findings): Part {
  if (source.channel !== 'sms' || category !== 'marketing' || part.path !== 'text') return part;
  if (saysHowToLeave(protect(part.source))) return part;
  const sentence = optOutSentence(locale);
  findings.warn('text', null, `"${sentence}" is put at its end: an advertising text has to say how one leaves`);
  return { ...part, source: `${part.source.trimEnd()}${part.source.trim() === '' ? '' : '\n'}${sentence}` };
}

interface Pass {
  readonly links: CompiledLink[];
  readonly tracked: boolean;
  readonly findings: Findings;
}

function liquidOf(part: Part, pass: Pass): string {
  const source = protect(part.source);
  switch (part.kind) {
    case 'line':
      return part.source;
    case 'text':
    case 'value': {
      const found = takeTextLinks(source, pass.links.length, pass.tracked, localNames);
      pass.links.push(...found.links);
      for (const warning of found.warnings) pass.findings.warn(part.path, null, warning);
      return found.text;
    }
    case 'asset':
    case 'link':
      return addressOf(part, source, pass);
  }
}

/** A place that is an address as a whole becomes a link: counted, or only checked when it is rendered. */
function addressOf(part: Part, source: Protected, { links, tracked, findings }: Pass): string {
  const [first] = source.pieces;
  const isOwn = first !== undefined && /^(?:unsubscribe_url|preferences_url)\b/.test(expressionOf(first.text));
  if (isOwn && part.kind === 'link') return part.source;
  const problem = addressProblem(source);
  if (problem !== undefined) findings.error(part.path, null, problem);
  if (source.pieces.some((piece) => piece.kind === 'tag'))
    findings.error(part.path, null, 'may have values, but no conditions or loops');
  const n = links.length;
  links.push({ n, url: urlSource(source.text.trim(), source), tracked: tracked && part.kind === 'link' });
  return `{{ ${n} | parley_link }}`;
}

/** Once a version, as of an e-mail: everything that can be found wrong before a message exists is found here. */
export function compileContent(input: ContentInput): Compilation<CompiledContent> {
  const findings = createFindings();
  const failed = () => findings.problems.some((one) => one.severity === 'error');
  const finish = (compiled?: CompiledContent): Compilation<CompiledContent> => {
    const variables = mergeVariables(findings.uses);
    return { problems: findings.problems, variables, ...(compiled === undefined || failed() ? {} : { compiled }) };
  };
  checkChannel(input, findings);
  const written = partsOf(input.source);
  for (const part of written) checkLiquid(part.path, part.source, findings);
  if (failed()) return finish();
  const pass: Pass = { links: [], tracked: input.source.trackLinks, findings };
  const parts = written.map((part) => {
    const liquid = liquidOf(withOptOut(part, input, findings), pass);
    parses(part.path, liquid, plainEngine, 'Liquid and links do not fit together', findings);
    return { path: part.path, kind: part.kind, liquid };
  });
  if (failed()) return finish();
  const { source: content, locale } = input;
  const variables = mergeVariables(findings.uses);
  const compiled: CompiledContent = {
    format: 1,
    channel: content.channel,
    locale,
    content,
    parts,
    links: pass.links,
    variables,
  };
  tryOut(compiled, findings);
  return finish(compiled);
}

/** One rendering with made-up values: a loop without end is found now and not at the first of many messages. */
function tryOut(compiled: CompiledContent, findings: Findings): void {
  const { variables } = compiled;
  const { faults } = createContentRenderer(compiled, () => Temporal.Instant.fromEpochMilliseconds(0)).preview({
    contact: sampleFor(variables, 'contact'),
    variables: sampleFor(variables, 'variables'),
    workspace: { name: 'Workspace' },
    urls: { click: () => 'https://x.test/', open: '#', unsubscribe: '#', preferences: '#' },
  });
  for (const fault of faults) if (limitMessages.has(fault.message)) findings.error(fault.where, null, fault.message);
}
