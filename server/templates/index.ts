/**
 * What we say: templates, their versions, and turning one into a message for one person.
 *
 * Owns: `template`, `template_version`. Promises: a version never changes, so a send that pinned one renders the same
 * tomorrow; what cannot work is refused when it is saved, with its line; a value of a contact never leaves the place it
 * was put in; a missing value without a default is named, never printed as nothing; every marketing template carries
 * the unsubscribe link. Never does: read files or the network, decide whom to write to, hand anything over.
 */
import './errors.ts';

export { createTemplates } from './templates.ts';
export type { TemplateFacts, Templates, TemplatesDeps } from './templates.ts';
export { templatesRoutes } from './routes.ts';
export type { TemplateRoutesDeps, TestSend } from './routes.ts';
export type { MessageUrls, RenderData, RenderedMessage, Renderer, RenderInput, RenderResult } from './render.rules.ts';
export type { AnyRenderer } from './renderers.ts';
export type { ContentRenderer, ContentResult } from './content-render.rules.ts';
export type { CompiledTemplate } from './compiled.ts';
export type { CompiledVariable } from './variables.rules.ts';
