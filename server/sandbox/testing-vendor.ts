import type { Vendor, VendorAnswer } from './vendor.ts';

/** The least of a vendor: takes one text at `/send`, and plays every fate. */
export const echoVendor: Vendor = {
  name: 'echo',
  accounts: [
    {
      kind: 'echo',
      channel: 'sms',
      title: 'Echo',
      fields: (workspaceId, desk) => ({ key: desk.secret(workspaceId, 'echo').toString('hex') }),
    },
  ],
  handle: async (request, desk) => {
    const { workspaceId } = request;
    if (request.headers['authorization'] !== `Bearer ${desk.secret(workspaceId, 'echo').toString('hex')}`)
      return { status: 401, body: { error: 'no such key' } };
    if (request.path !== '/send' || request.method !== 'POST') return { status: 404, body: { error: 'no such path' } };
    const { to, text, tell } = JSON.parse(request.body.toString()) as { to: string; text: string; tell?: string };
    const fate = desk.fateOf(workspaceId, to, 'echo');
    const refusals: Partial<Record<typeof fate.kind, VendorAnswer>> = {
      refuse: { status: 400, body: { error: 'no such number' } },
      throttle: { status: 429, headers: { 'retry-after': fate.kind === 'throttle' ? String(fate.afterSeconds) : '' } },
      burst: { status: fate.kind === 'burst' ? fate.status : 500, body: 'oops' },
      malformed: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
    };
    if (fate.kind === 'quiet') return { fate: 'quiet' };
    if (fate.kind === 'slow') await desk.clock.sleep(fate.ms);
    const refusal = refusals[fate.kind];
    if (refusal !== undefined) return refusal;
    const ref = `E${desk.hex(8)}`;
    await desk.keep(workspaceId, {
      channel: 'sms',
      vendor: 'echo',
      to,
      from: '+4930123456',
      title: text.slice(0, 40),
      shown: { text },
      ref,
      raw: request.body,
    });
    const url = tell ?? request.callbackUrl;
    const state = fate.kind === 'bounce' ? 'failed' : 'delivered';
    if (url !== undefined)
      desk.later(workspaceId, { afterMs: 20, method: 'POST', url, headers: {}, body: `${ref} ${state}` });
    return { status: 201, body: { ref } };
  },
  act: (mail, act) => {
    if (mail.callbackUrl === undefined || act.kind === 'complain') return undefined;
    const said = act.kind === 'reply' ? `reply ${act.text}` : act.kind;
    return { afterMs: 0, method: 'POST', url: mail.callbackUrl, headers: {}, body: `${mail.ref} ${said}` };
  },
};
