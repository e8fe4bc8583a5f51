import { contactVariables } from './audience/index.ts';
import type { Consent } from './consent/index.ts';
import type { SendableTemplate, SendPorts } from './delivery/index.ts';
import type { Tx } from './platform/db.ts';
import { invalidField } from './platform/errors.ts';
import { attributesOf, urlsOf } from './ends.ts';
import type { Ends } from './ends.ts';
import { needsOf, objectionsOf } from './fitness.ts';
import type { AnyRenderer, TemplateFacts } from './templates/index.ts';

/** What a call of the API to send is checked against, looked up for all its messages at once. */
export function sendPorts(ends: Ends, topics: Consent['topics']): SendPorts {
  const { people } = ends.audience;
  return {
    addressReader: people.addressReader,
    obtainContacts: people.obtainContacts,
    topicsOf: async (tx, keys) => {
      const require = await topics.requireAmong(tx, keys);
      return (key, pointer) => require(key, pointer).id;
    },
    templatesOf: async (tx, ids) => {
      const usable = await sendable(ends, tx, ids);
      return (id, pointer) => {
        const template = usable.get(id);
        if (template === undefined) throw invalidField(pointer, 'is no template of this workspace');
        if (template === 'archived') throw invalidField(pointer, 'is archived');
        return template;
      };
    },
  };
}

async function sendable(ends: Ends, tx: Tx, ids: readonly string[]) {
  const templates = new Map<string, SendableTemplate | 'archived'>();
  if (ids.length === 0) return templates;
  const [found, { name, postalAddress }] = await Promise.all([
    ends.templates.findMany(tx, ids),
    ends.workspaces.settings(tx),
  ]);
  for (const facts of found.values()) {
    // Parsed and cached: this asks the database only for a version that was never sent by this process.
    const renderer = await ends.templates.renderer(tx, facts.id, facts.currentVersion);
    const trial = facts.archived ? 'archived' : sendableOf(ends, tx, facts, renderer, { name, postalAddress });
    templates.set(facts.id, trial);
  }
  return templates;
}

function sendableOf(
  ends: Ends,
  tx: Tx,
  { id, currentVersion, category, channel }: TemplateFacts,
  renderer: AnyRenderer,
  workspace: { readonly name: string; readonly postalAddress: string | null },
): SendableTemplate {
  // Nobody gets to see a trial: links of any message will do for all of them.
  const urls = urlsOf(ends.origin(), ends.vault.linkKey(tx.workspaceId), tx.workspaceId, id);
  return {
    id,
    version: currentVersion,
    category,
    channel,
    needs: needsOf(renderer),
    objects: objectionsOf(renderer, category),
    tryRender: ({ contactId, address, attributes, email, phone, ...person }, variables) => {
      const contact = contactVariables({
        ...person,
        id: contactId,
        attributes: attributesOf(attributes),
        email: channel === 'email' ? address : email,
        phone: channel === 'sms' || channel === 'whatsapp' ? address : phone,
      });
      const content = renderer.render({ contact, variables, workspace, urls });
      if ('missing' in content) return { ok: false, detail: content.missing.join(', '), missing: content.missing };
      if ('failure' in content) return { ok: false, detail: `${content.where}: ${content.failure}`, missing: [] };
      return { ok: true };
    },
  };
}
