import { afterAll } from 'vitest';
import { compileTemplate } from './compile.ts';
import type { CompileInput } from './compile.ts';
import type { CompiledTemplate } from './compiled.ts';
import type { Compilation } from './findings.rules.ts';
import { createMjmlCompiler } from './mjml.ts';
import { createRenderer } from './render.rules.ts';
import type { RenderedMessage, RenderInput, RenderResult } from './render.rules.ts';

export const at = Temporal.Instant.from('2026-03-14T22:30:00Z');

export const urls: RenderInput['urls'] = {
  click: (n) => `https://go.example/t/c/TOKEN.${n}`,
  open: 'https://go.example/t/o/TOKEN',
  unsubscribe: 'https://go.example/u/TOKEN',
  preferences: 'https://go.example/p/TOKEN',
};

export function inputFor(contact: Record<string, unknown> = {}, variables?: Record<string, unknown>): RenderInput {
  return { contact, variables, workspace: { name: 'Acme', postalAddress: '1 Road\nTown' }, urls };
}

/** Compiles with one worker for the file. */
export function createCompiler() {
  const mjml = createMjmlCompiler();
  afterAll(() => mjml.close());
  const compile = (given: Partial<CompileInput>): Promise<Compilation<CompiledTemplate>> =>
    compileTemplate(
      {
        subject: 'Hello',
        preheader: null,
        mjml: null,
        html: null,
        text: null,
        category: 'transactional',
        locale: 'en',
        ...given,
      },
      mjml,
    );
  const render = async (given: Partial<CompileInput>, input: RenderInput = inputFor()): Promise<RenderResult> => {
    const { compiled, problems } = await compile(given);
    if (compiled === undefined) throw new Error(`does not compile: ${JSON.stringify(problems)}`);
    return createRenderer(compiled, () => at).render(input);
  };
  const message = async (given: Partial<CompileInput>, input?: RenderInput): Promise<RenderedMessage> => {
    const result = await render(given, input);
    if (!('subject' in result)) throw new Error(`does not render: ${JSON.stringify(result)}`);
    return result;
  };
  return { compile, render, message };
}

export function errorsOf({ problems }: Pick<Compilation<unknown>, 'problems'>): string[] {
  return problems
    .filter((one) => one.severity === 'error')
    .map((one) => `${one.where}:${one.line ?? '-'} ${one.message}`);
}

export function warningsOf({ problems }: Pick<Compilation<unknown>, 'problems'>): string[] {
  return problems
    .filter((one) => one.severity === 'warning')
    .map((one) => `${one.where}:${one.line ?? '-'} ${one.message}`);
}
