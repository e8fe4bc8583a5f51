/**
 * <parley-inbox>: the inbox of the person who is signed in, as a bell with a count and a panel with the messages.
 *
 * No framework, no build, nothing but this file. Everything that comes from a message is set as text, never as markup; links
 * lead over http(s) or to a path of this site. Styles are constructed sheets, so that a page whose policy forbids inline
 * styles and scripts may use it.
 *
 * Attributes: `server` (Parley's origin; the one this file came from when left out) · `token` · `label`.
 * Properties: `token` · `tokenProvider` (a function that answers, or promises, a fresh token; asked when one is needed) ·
 * `labels` (the words, for other languages).
 * Events, all bubbling: `parley-count` {unread} · `parley-open` {message}, cancelable: the page follows the link itself ·
 * `parley-token-ended`.
 */
(() => {
  const scriptOrigin = document.currentScript?.src ? new URL(document.currentScript.src).origin : location.origin;

  const words = {
    inbox: 'Inbox',
    unread: '{count} unread',
    empty: 'Nothing here yet.',
    failed: 'The inbox cannot be reached.',
    retry: 'Try again',
    more: 'Show older',
    readAll: 'Mark all as read',
    archive: 'Archive',
    close: 'Close',
    isNew: 'New',
    arrived: 'New message in the inbox',
  };

  const css = `
    :host { display: inline-block; position: relative; font: inherit; color: inherit; }
    :host([hidden]) { display: none; }
    * { box-sizing: border-box; }
    button { font: inherit; color: inherit; background: none; border: 0; border-radius: 6px; padding: 6px 8px; cursor: pointer; }
    button:hover { background: rgb(128 128 128 / 15%); }
    :focus-visible { outline: 2px solid #1c64d8; outline-offset: 2px; }
    .bell { position: relative; line-height: 0; padding: 8px; }
    .count { position: absolute; top: 0; right: 0; min-width: 18px; height: 18px; padding: 0 5px; border-radius: 9px;
      background: #c4122f; color: #fff; font: 600 12px/18px system-ui, sans-serif; text-align: center; }
    .panel { position: absolute; right: 0; top: calc(100% + 8px); z-index: 1000; width: min(380px, calc(100vw - 24px)); max-height: min(70vh, 560px);
      display: flex; flex-direction: column; background: Canvas; color: CanvasText; border: 1px solid rgb(128 128 128 / 40%);
      border-radius: 10px; box-shadow: 0 8px 30px rgb(0 0 0 / 20%); color-scheme: light dark; }
    .head { display: flex; align-items: center; gap: 4px; padding: 8px 12px; border-bottom: 1px solid rgb(128 128 128 / 30%); }
    h2 { font-size: 1em; margin: 0; flex: 1; }
    .scroll { overflow-y: auto; }
    ul { list-style: none; margin: 0; padding: 0; }
    li { padding: 10px 12px; border-bottom: 1px solid rgb(128 128 128 / 20%); border-left: 3px solid transparent; }
    li.unread { border-left-color: #1c64d8; }
    li.unread .title { font-weight: 700; }
    .row { display: flex; gap: 8px; align-items: start; }
    .open { flex: 1; text-align: left; padding: 2px 4px; text-decoration: none; color: inherit; border-radius: 4px; }
    .title, .text, time { display: block; overflow-wrap: anywhere; }
    .text { white-space: pre-line; }
    time { font-size: .85em; opacity: .75; }
    img { max-width: 100%; max-height: 160px; border-radius: 6px; margin-top: 6px; display: block; }
    .note { padding: 20px 12px; margin: 0; text-align: center; }
    .hush { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    [hidden] { display: none !important; }`;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);

  /** An element with attributes, and children as text or elements: the only way anything is made here. */
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  const svgNames = 'http://www.w3.org/2000/svg';
  const bellPicture = () => {
    const svg = document.createElementNS(svgNames, 'svg');
    const path = document.createElementNS(svgNames, 'path');
    const marks = { viewBox: '0 0 24 24', width: '24', height: '24', 'aria-hidden': 'true', fill: 'currentColor' };
    for (const [name, value] of Object.entries(marks)) svg.setAttribute(name, value);
    path.setAttribute(
      'd',
      'M12 22a2.5 2.5 0 0 0 2.4-2H9.6A2.5 2.5 0 0 0 12 22Zm7-6v-5a7 7 0 0 0-5.5-6.8V3.5a1.5 1.5 0 0 0-3 0v.7A7 7 0 0 0 5 11v5l-2 2v1h18v-1l-2-2Z',
    );
    svg.append(path);
    return svg;
  };

  /** The server has checked it; a page that is handed a message by something else is safe all the same. */
  const safeLink = (url, schemes) => {
    if (typeof url !== 'string' || url === '') return null;
    try {
      const parsed = new URL(url, location.href);
      return schemes.includes(parsed.protocol) ? parsed.href : null;
    } catch {
      return null;
    }
  };

  class Refused extends Error {
    constructor(status) {
      super(`answered ${status}`);
      this.status = status;
    }
  }

  class ParleyInbox extends HTMLElement {
    static observedAttributes = ['token', 'server', 'label'];
    #token = '';
    #labels = { ...words };
    #messages = [];
    #cursor = null;
    #unread = 0;
    #failed = false;
    #ready = false;
    #live;
    #parts;
    tokenProvider = null;

    constructor() {
      super();
      this.attachShadow({ mode: 'open' }).adoptedStyleSheets = [sheet];
      this.#build();
    }

    get token() {
      return this.#token;
    }

    set token(token) {
      if (token === this.#token) return;
      this.#token = String(token ?? '');
      if (this.isConnected) this.#start();
    }

    set labels(labels) {
      this.#labels = { ...words, ...labels };
      this.#draw();
    }

    get unread() {
      return this.#unread;
    }

    connectedCallback() {
      document.addEventListener('pointerdown', this.#onOutside);
      this.#start();
    }

    disconnectedCallback() {
      document.removeEventListener('pointerdown', this.#onOutside);
      this.#live?.abort();
    }

    attributeChangedCallback(name, _before, value) {
      if (name === 'token') this.token = value ?? '';
      else if (name === 'server' && this.isConnected) this.#start();
      else this.#draw();
    }

    #build() {
      const badge = make('span', { class: 'count', 'aria-hidden': 'true', hidden: '' });
      const bell = make(
        'button',
        { class: 'bell', type: 'button', 'aria-haspopup': 'dialog', 'aria-expanded': 'false' },
        bellPicture(),
        badge,
      );
      const heading = make('h2', { id: 'heading' });
      const readAll = make('button', { type: 'button' });
      const close = make('button', { type: 'button' }, '✕');
      const list = make('ul');
      const note = make('p', { class: 'note', hidden: '' });
      const retry = make('button', { type: 'button', hidden: '' });
      const more = make('button', { type: 'button', hidden: '' });
      const scroll = make('div', { class: 'scroll' }, list, note, retry, more);
      const head = make('div', { class: 'head' }, heading, readAll, close);
      const panel = make(
        'div',
        { class: 'panel', role: 'dialog', 'aria-labelledby': 'heading', hidden: '' },
        head,
        scroll,
      );
      const status = make('div', { class: 'hush', role: 'status', 'aria-live': 'polite' });
      this.shadowRoot.append(bell, panel, status);
      this.#parts = { badge, bell, heading, readAll, close, list, note, retry, more, panel, status };
      bell.addEventListener('click', () => this.#show(panel.hidden));
      close.addEventListener('click', () => this.#show(false));
      readAll.addEventListener(
        'click',
        () => void this.#act('/read-all', () => this.#messages.forEach((one) => this.#seen(one))),
      );
      retry.addEventListener('click', () => this.#start());
      more.addEventListener('click', () => void this.#load(this.#cursor).catch(() => this.#fail()));
      panel.addEventListener('keydown', (event) => this.#onKey(event));
      this.#draw();
    }

    #onOutside = (event) => {
      if (!this.#parts.panel.hidden && !event.composedPath().includes(this)) this.#show(false, false);
    };

    #onKey(event) {
      if (event.key === 'Escape') {
        event.stopPropagation();
        return this.#show(false);
      }
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step === undefined) return;
      const links = [...this.#parts.list.querySelectorAll('.open')];
      const at = links.indexOf(this.shadowRoot.activeElement);
      const next = links[at === -1 ? (step === 1 ? 0 : links.length - 1) : at + step];
      if (next === undefined) return;
      event.preventDefault();
      next.focus();
    }

    #show(isOpen, takeFocus = true) {
      const { panel, bell, close } = this.#parts;
      panel.hidden = !isOpen;
      if (isOpen) this.#fit();
      bell.setAttribute('aria-expanded', String(isOpen));
      if (takeFocus) (isOpen ? (this.#parts.list.querySelector('.open') ?? close) : bell).focus();
    }

    /** Below the bell, and inside the window wherever the bell is. */
    #fit() {
      const { panel } = this.#parts;
      panel.style.right = '0';
      const { left, right } = panel.getBoundingClientRect();
      const most = document.documentElement.clientWidth - 8;
      if (left < 8) panel.style.right = `${left - 8}px`;
      else if (right > most) panel.style.right = `${right - most}px`;
    }

    /** Begins anew: with another token, another server, or after a failure. */
    #start() {
      this.#live?.abort();
      this.#messages = [];
      this.#cursor = null;
      this.#ready = false;
      this.#failed = false;
      const live = new AbortController();
      this.#live = live;
      this.#draw();
      if (this.#token !== '' || this.tokenProvider !== null) void this.#follow(live.signal);
    }

    async #follow(signal) {
      for (let pauseMs = 1000; !signal.aborted; pauseMs = Math.min(pauseMs * 2, 60_000)) {
        try {
          await this.#load(null, signal);
          await this.#listen(signal, () => (pauseMs = 1000));
        } catch (error) {
          if (signal.aborted) return;
          if (error instanceof Refused && error.status < 500 && error.status !== 429) return this.#fail();
          if (!this.#ready) this.#fail();
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }

    /** Server-sent events, read by hand: EventSource can send no token. */
    async #listen(signal, onNews) {
      const answer = await this.#call('GET', '/stream', signal);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      let isFirst = true;
      for (;;) {
        const { value, done } = await reader.read();
        if (done || signal.aborted) return;
        const parts = (text + value).split('\n\n');
        text = parts.pop() ?? '';
        if (!parts.some((part) => part.startsWith('event: inbox'))) continue;
        onNews();
        // The first one says what was read a moment ago.
        if (!isFirst) await this.#load(null, signal, true);
        isFirst = false;
      }
    }

    async #call(method, path, signal, isSecond = false) {
      if (this.#token === '' || isSecond) this.#token = String((await this.tokenProvider?.()) ?? this.#token);
      const base = (this.getAttribute('server') ?? scriptOrigin).replace(/\/+$/, '');
      const answer = await fetch(`${base}/api/v1/inapp${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#token}` },
        credentials: 'omit',
        cache: 'no-store',
        ...(signal === undefined ? {} : { signal }),
      });
      if (answer.ok) return answer;
      if (answer.status === 401 && !isSecond) {
        this.dispatchEvent(new CustomEvent('parley-token-ended', { bubbles: true, composed: true }));
        if (this.tokenProvider !== null) return this.#call(method, path, signal, true);
      }
      throw new Refused(answer.status);
    }

    async #load(cursor, signal, isNews = false) {
      const query = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await (await this.#call('GET', `/messages?limit=20${query}`, signal)).json();
      const known = new Set(this.#messages.map((one) => one.id));
      const fresh = page.data.filter((one) => !known.has(one.id));
      // What is read anew replaces the top; what was loaded further down stays.
      const below = this.#messages.filter((one) => !page.data.some((other) => other.id === one.id));
      this.#messages = cursor === null ? [...page.data, ...(isNews ? below : [])] : [...this.#messages, ...fresh];
      if (cursor !== null || !isNews) this.#cursor = page.nextCursor;
      this.#failed = false;
      if (isNews && fresh.some((one) => one.readAt === null))
        this.#parts.status.textContent = `${this.#labels.arrived}: ${fresh[0].title}`;
      this.#ready = true;
      this.#count(page.unread);
    }

    #count(unread) {
      const hasChanged = unread !== this.#unread;
      this.#unread = unread;
      this.#draw();
      if (hasChanged)
        this.dispatchEvent(new CustomEvent('parley-count', { bubbles: true, composed: true, detail: { unread } }));
    }

    #fail() {
      this.#failed = true;
      this.#draw();
    }

    async #act(path, change) {
      change();
      this.#draw();
      try {
        const { unread } = await (await this.#call('POST', path)).json();
        this.#count(unread);
      } catch {
        this.#start();
      }
    }

    #seen(message) {
      message.readAt ??= new Date().toISOString();
    }

    #open(message, event) {
      const detail = { message: structuredClone(message) };
      const asked = new CustomEvent('parley-open', { bubbles: true, composed: true, cancelable: true, detail });
      if (!this.dispatchEvent(asked)) event.preventDefault();
      const path = `/messages/${message.id}/${message.url === null ? 'read' : 'click'}`;
      void this.#act(path, () => this.#seen(message));
    }

    #archive(message) {
      const at = this.#messages.indexOf(message);
      void this.#act(`/messages/${message.id}/archive`, () => this.#messages.splice(at, 1));
      // The button is gone: the focus goes to what took its place.
      const links = this.#parts.list.querySelectorAll('.open');
      (links[Math.min(at, links.length - 1)] ?? this.#parts.close).focus();
    }

    #item(message) {
      const isUnread = message.readAt === null;
      const href = safeLink(message.url, ['https:', 'http:']);
      const image = safeLink(message.imageUrl, ['https:']);
      const title = make('span', { class: 'title' }, message.title);
      if (isUnread) title.prepend(make('span', { class: 'hush' }, `${this.#labels.isNew}: `));
      const at = new Date(message.at);
      const time = make(
        'time',
        { datetime: message.at },
        at.toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }),
      );
      const inside = [title, make('span', { class: 'text' }, message.body), time];
      const open =
        href === null
          ? make('button', { class: 'open', type: 'button' }, ...inside)
          : make('a', { class: 'open', href, rel: 'noopener' }, ...inside);
      if (image !== null)
        open.append(make('img', { src: image, alt: '', loading: 'lazy', referrerpolicy: 'no-referrer' }));
      open.addEventListener('click', (event) => this.#open(message, event));
      const archive = make(
        'button',
        { type: 'button', 'aria-label': `${this.#labels.archive}: ${message.title}` },
        '✓',
      );
      archive.addEventListener('click', () => this.#archive(message));
      return make('li', { class: isUnread ? 'unread' : 'read' }, make('div', { class: 'row' }, open, archive));
    }

    #draw() {
      const { badge, bell, heading, readAll, close, list, note, retry, more } = this.#parts;
      const labels = this.#labels;
      const name = this.getAttribute('label') ?? labels.inbox;
      const count = labels.unread.replace('{count}', String(this.#unread));
      bell.setAttribute('aria-label', this.#unread === 0 ? name : `${name}, ${count}`);
      badge.hidden = this.#unread === 0;
      badge.textContent = this.#unread > 99 ? '99+' : String(this.#unread);
      heading.textContent = name;
      readAll.textContent = labels.readAll;
      readAll.hidden = this.#unread === 0;
      close.setAttribute('aria-label', labels.close);
      const links = [...list.querySelectorAll('.open')];
      const focused = links.indexOf(this.shadowRoot.activeElement);
      list.replaceChildren(...this.#messages.map((message) => this.#item(message)));
      if (focused !== -1) list.querySelectorAll('.open')[focused]?.focus();
      note.hidden = !this.#failed && !(this.#ready && this.#messages.length === 0);
      note.textContent = this.#failed ? labels.failed : labels.empty;
      retry.hidden = !this.#failed;
      retry.textContent = labels.retry;
      more.hidden = this.#failed || this.#cursor === null;
      more.textContent = labels.more;
    }
  }

  if (customElements.get('parley-inbox') === undefined) customElements.define('parley-inbox', ParleyInbox);
})();
