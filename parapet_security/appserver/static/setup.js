/*
 * The setup page of Parapet Security: tenants, what waits, and how alerts are delivered, over Splunk's own REST endpoints.
 *
 * Must not read a stored secret, nor the answer to storing one (it holds the secret in clear), nor keep one after it is
 * stored; must not make HTML out of data. The rules for values are those of bin/parapet/settings.py, in the same words.
 */
(function () {
  "use strict";

  const APP = "parapet_security";
  const PROXY_REALM = "parapet_security_proxy";
  const MOUNT = "parapet-setup";
  const REFRESH_MS = 30000;

  // ---- The page's addresses: under whatever root path and locale Splunk Web serves it ---------------------------------

  const OF_APP = `/servicesNS/nobody/${APP}`;
  const CONF = `${OF_APP}/configs/conf-${APP}`;
  const ALERT_ACTION = `${OF_APP}/configs/conf-alert_actions/${APP}`;
  const PASSWORDS = `${OF_APP}/storage/passwords`;
  const STORED = `${OF_APP}/properties/passwords`;
  const SEARCH = `${OF_APP}/search/jobs`;
  const INSTALLED = `/services/apps/local/${APP}`;
  const WHO_ASKS = "/services/authentication/current-context";

  function proxyPath() {
    const given = window.$C || {};
    if (typeof given.SPLUNKD_PATH === "string" && given.SPLUNKD_PATH.startsWith("/")) {
      return given.SPLUNKD_PATH.replace(/\/+$/, "");
    }
    const root = String(given.MRSPARKLE_ROOT_PATH || "").replace(/^\/+|\/+$/g, "");
    const base = given.LOCALE
      ? `${root && "/"}${root}/${given.LOCALE}`
      : window.location.pathname.split(`/app/${APP}`)[0];
    return `${base}/splunkd/__raw`;
  }

  // Read for each request: a new login in another tab sets a new one.
  function formKey() {
    const cookies = document.cookie.split("; ");
    const port = (window.$C || {}).MRSPARKLE_PORT_NUMBER;
    const found =
      cookies.find((cookie) => cookie.startsWith(`splunkweb_csrf_token_${port}=`)) ||
      cookies.find((cookie) => cookie.startsWith("splunkweb_csrf_token_"));
    return found ? decodeURIComponent(found.slice(found.indexOf("=") + 1)) : "";
  }

  // ---- REST: one call, its failures, and what they mean to a person ---------------------------------------------------

  /** What splunkd refused, or (0, and 504 when it took too long) did not answer. `said` is its message; of 200, this page's. */
  class Failure extends Error {
    constructor(status, said) {
      super(said || `status ${status}`);
      this.status = status;
      this.said = withoutSecrets(said || "");
    }
  }

  let clockSkewMs = 0;

  /** Splunk's time, not the browser's, in whole seconds: what is compared with it is stamped by Splunk. */
  function splunkNow() {
    return Math.floor((Date.now() + clockSkewMs) / 1000);
  }

  /**
   * Call splunkd through Splunk Web.
   * `form`: what goes along. `unread`: do not read what a success says. `limitS`: seconds to wait for the whole answer.
   */
  async function call(method, path, form = {}, { unread = false, limitS = 60 } = {}) {
    const fields = new URLSearchParams(Object.assign({ output_mode: "json" }, form)).toString();
    const inBody = method === "POST";
    const headers = { "X-Requested-With": "XMLHttpRequest", "X-Splunk-Form-Key": formKey() };
    if (inBody) {
      headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8";
    }
    const control = new AbortController();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      control.abort();
    }, limitS * 1000);
    try {
      const answer = await fetch(proxyPath() + path + (inBody ? "" : `?${fields}`), {
        method,
        headers,
        body: inBody ? fields : undefined,
        credentials: "same-origin",
        cache: "no-store",
        // Splunk Web sends whoever is not logged in to its login page.
        redirect: "manual",
        signal: control.signal,
      });
      return await read(answer, unread);
    } catch (error) {
      throw error instanceof Failure ? error : new Failure(late ? 504 : 0, "");
    } finally {
      clearTimeout(timer);
      if (unread) {
        // The rest of the answer is thrown away, and its connection given back.
        control.abort();
      }
    }
  }

  async function read(answer, unread) {
    if (answer.type === "opaqueredirect") {
      throw new Failure(401, "");
    }
    const date = Date.parse(answer.headers.get("Date") || "");
    clockSkewMs = Number.isNaN(date) ? clockSkewMs : date - Date.now();
    if (answer.ok && unread) {
      return {};
    }
    const text = await answer.text();
    let document_ = null;
    try {
      document_ = JSON.parse(text);
    } catch (error) {
      // Not JSON: an error page of something between the browser and splunkd.
    }
    if (!answer.ok) {
      const messages = (document_ && document_.messages) || [];
      throw new Failure(answer.status, messages.map((message) => message.text).join(" "));
    }
    if (document_ === null) {
      throw odd();
    }
    return document_;
  }

  function odd() {
    return new Failure(200, "Splunk's answer is not what its REST interface gives. Try again in a moment.");
  }

  /** Run a search and give its rows. In the app's own namespace: no other app's macro or command of the same name counts. */
  async function search(spl, limitS) {
    const form = { search: spl, exec_mode: "oneshot", count: "0" };
    const answer = await call("POST", SEARCH, form, { limitS });
    const rows = list(answer.results);
    const wrong = list(answer.messages).find((message) => /^(FATAL|ERROR)$/i.test(message.type));
    if (wrong && !rows.length) {
      throw new Failure(400, wrong.text);
    }
    return rows;
  }

  function entries(answer) {
    if (!Array.isArray(answer.entry) || !answer.entry.every((entry) => entry && typeof entry.name === "string")) {
      throw odd();
    }
    return answer.entry;
  }

  function contentOf(entry) {
    if (!entry.content || typeof entry.content !== "object") {
      throw odd();
    }
    return entry.content;
  }

  const WHO = "the roles admin and sc_admin may";

  /** A failure in words. `what` names what was asked for, as in "to store the token". */
  function explain(failure, what) {
    const said = failure.said ? ` Splunk says: ${failure.said.replace(/[^.!?]$/, "$&.")}` : "";
    if (/csrf/i.test(failure.said)) {
      return "Splunk Web did not accept this page's form key. Log in again in another tab, then try again here; nothing you typed is lost.";
    }
    switch (failure.status) {
      case 0:
      case 504:
        return `Splunk did not answer when asked ${what}, so it is not known whether that was done. Check the connection, and try again.${said}`;
      case 200:
        return failure.said;
      case 401:
        return "Your Splunk session has ended. Log in again in another tab, then try again here; nothing you typed is lost.";
      case 403:
        return `You may not do this: asked ${what}, Splunk refused; ${WHO}.${said}`;
      case 404:
        return `Splunk does not find what it was asked for (${what}). Somebody may have removed it meanwhile: reload the page.${said}`;
      case 409:
        return `Somebody else created this a moment ago. Try again.${said}`;
      case 400:
        return `Splunk does not accept this.${said}`;
      default:
        return `Splunk has an internal problem (status ${failure.status}) when asked ${what}. Try again in a moment.${said}`;
    }
  }

  /** Why a search of this app's own commands failed. */
  function explainSearch(failure, what) {
    if (/unknown search command/i.test(failure.said)) {
      return state.mayWrite && state.readsSecrets !== false
        ? "Splunk does not know the app's search commands yet. Restart Splunk once after installing or upgrading the app, then try again."
        : `Splunk does not let you run the app's search commands: ${WHO}.`;
    }
    return explain(failure, what);
  }

  /** Whether the value itself was refused, rather than the session or splunkd being in trouble. */
  function isRefusal(failure) {
    return [400, 403, 404, 409].includes(failure.status);
  }

  // ---- Words for numbers and times ------------------------------------------------------------------------------------

  const MIB = 1048576;
  const GIB = 1073741824;

  function count(number, one, many) {
    return `${number.toLocaleString("en-US")} ${number === 1 ? one : many}`;
  }

  function bytes(number) {
    if (number < 1024) {
      return count(number, "byte", "bytes");
    }
    const [size, unit] = number >= GIB ? [GIB, "GiB"] : number >= MIB ? [MIB, "MiB"] : [1024, "KiB"];
    return `${(number / size).toLocaleString("en-US", { maximumFractionDigits: 1 })} ${unit}`;
  }

  /** A remark of a command as a sentence. */
  function sentence(text) {
    const bare = withoutSecrets(String(text || "")).trim();
    return bare ? bare[0].toUpperCase() + bare.slice(1) + (/[.!?]$/.test(bare) ? "" : ".") : "";
  }

  function age(seconds) {
    const steps = [
      [86400, "day", "days"],
      [3600, "hour", "hours"],
      [60, "minute", "minutes"],
    ];
    const [size, one, many] = steps.find(([least]) => seconds >= least) || [1, "second", "seconds"];
    return count(Math.floor(seconds / size), one, many);
  }

  function clockTime(date) {
    return Number.isNaN(date.getTime()) ? "" : date.toLocaleTimeString("en-GB");
  }

  /** A field of a search result as a list: splunkd gives one value as a text, several as a list. */
  function list(value) {
    return (Array.isArray(value) ? value : [value]).filter((one) => one !== undefined && one !== null && one !== "");
  }

  // ---- The rules, as settings.py has them. Each gives what is wrong in words that follow the name, or "" --------------

  const TENANT_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
  const TENANT_NAME_RULE = "is 1 to 64 of a-z, 0-9, _ and -, and starts with a letter or digit";
  const CLOUD_URL = /^https:\/\/webhook-([a-z0-9-]+)\.parapetsecurity\.com\/webhook\/([^/?#\s]+)\/?$/;
  const BLANK = /[\s\x00-\x20\x7f-\x9f]/;
  const NUMBER = /^[0-9]{1,15}(?:\.[0-9]{1,6})?$/;

  const PROXY_FORM = ["http", "https"].map((scheme) => `${scheme}://host:port`).join(" or ");

  function withoutSecrets(text) {
    return text.replace(/pst_\S+/gi, "pst_***");
  }

  function shown(text) {
    return `'${text.replace(/^[^]*@|pst_\S*/gi, "***").slice(0, 60)}'`;
  }

  /** Whether a URL of the file holds what must not be shown: somebody's password, or a token. */
  function isPrivate(url) {
    return /@|pst_/i.test(url);
  }

  /** What is wrong with a field, in place of such a value of the file. */
  function withheld(url) {
    return `in the file holds what does not belong there, and is not shown (${shown(url)})`;
  }

  function isLoopback(host) {
    return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(host);
  }

  function checkName(name) {
    return TENANT_NAME.test(name) ? "" : `${TENANT_NAME_RULE} (got ${shown(name)})`;
  }

  function checkUrl(url) {
    if (!url) {
      return "is empty: copy the webhook URL from Settings → Service Tokens at Parapet Security";
    }
    if (BLANK.test(url)) {
      return "must hold no white space: copy it again";
    }
    const [, scheme = "", authority = "", path = ""] = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)/i.exec(
      url,
    );
    const [, user, host, port] = /^(.*@)?(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority) || [];
    if (host === undefined || (port && !(/^\d+$/.test(port) && Number(port) <= 65535))) {
      return `is not a URL (got ${shown(url)})`;
    }
    const wrong = [];
    if (scheme.toLowerCase() !== "https" && !(scheme.toLowerCase() === "http" && isLoopback(host))) {
      wrong.push(`must start with https:// (got ${shown(scheme || url)})`);
    }
    if (!host) {
      wrong.push("must name a host");
    }
    if (user !== undefined) {
      wrong.push("must hold no user name or password: the token has its own place");
    }
    if (/[?#]/.test(url)) {
      wrong.push("must end after the tenant id, without ? or #");
    }
    if (!/^(?:\/[^/]+)*\/webhook\/[^/]+\/?$/.test(path)) {
      wrong.push(`must end in /webhook/ and the tenant id (got ${shown(path || "no path")})`);
    } else if (url.includes("YOUR-TENANT-ID") || url.includes("{")) {
      wrong.push("still holds the guide's placeholder: put your own region and tenant id there");
    }
    return wrong.join("; ");
  }

  function checkToken(token) {
    if (!token) {
      return "is empty: paste it here";
    }
    const bare = token.trim();
    const wrong = [];
    if (!bare.startsWith("pst_")) {
      wrong.push("must start with pst_: paste the service token itself, not a masked one");
    }
    if (token !== bare) {
      wrong.push(
        `has white space at its ${/^\s/.test(token) ? "start" : "end"}: paste it again without, or have it cut off`,
      );
    }
    if (/\s/.test(bare)) {
      wrong.push("has white space inside: paste it again in one piece");
    } else if (!/^[\x21-\x7e]+$/.test(bare)) {
      wrong.push("holds a character that no token has: paste it again");
    } else if (bare.includes("YOUR_TOKEN")) {
      wrong.push("is still the guide's placeholder: paste your own");
    }
    return wrong.join("; ");
  }

  function checkProxy(text) {
    if (!text) {
      return "";
    }
    if (text.includes("@")) {
      return "must hold no user name or password: they have settings of their own";
    }
    const [, port] = /^https?:\/\/(?:\[[0-9a-f:.]+\]|[^\s/?#:[\]]+):(\d{1,5})\/*$/i.exec(text) || [];
    return port && Number(port) >= 1 && Number(port) <= 65535
      ? ""
      : `must be of the form ${PROXY_FORM} (got ${shown(text)})`;
  }

  function checkProxyUser(text) {
    return /[:\x00-\x1f\x7f]/.test(text) ? "must hold no colon and no control character" : "";
  }

  function checkNumber(rule, text) {
    const number = NUMBER.test(text) ? Number(text) : -1;
    if (number >= rule.low && number <= rule.high && (!rule.whole || Number.isInteger(number))) {
      return "";
    }
    return `must be ${rule.whole ? "a whole number" : "a number"} from ${rule.low} to ${rule.high} ${rule.unit} (got ${shown(text)})`;
  }

  function isOn(value) {
    return /^(1|true|t|yes|y|on|enabled)$/i.test(String(value === undefined ? "" : value).trim());
  }

  // ---- What is known: all of it is splunkd's, and read again after each save ------------------------------------------

  const state = {
    mount: null,
    mayWrite: false,
    /** Whether this session may read stored secrets; null where Splunk does not tell. */
    readsSecrets: null,
    configured: true,
    /** [{name, stanza, url, paused, owner}], by name; `owner` is the app that has the stanza. */
    tenants: [],
    /** The [delivery] stanza's settings. */
    delivery: {},
    /** How splunkd addresses each stored secret, by keyOf(); null where it is not known what is stored. */
    stored: null,
    /** The guide's Option B, {owner, url, token}, or null. */
    optionB: null,
    /** What a test of a tenant found, by name: a node. */
    results: new Map(),
    /** The names of tenants whose test is under way. */
    testing: new Set(),
    /** Forms that are open, by the tenant's name ("" is the one for a new tenant): nodes that keep what was typed. */
    forms: new Map(),
  };

  async function load() {
    const [conf, optionB, , configured] = await Promise.all([
      call("GET", CONF, { count: "0" }).then(entries),
      call("GET", ALERT_ACTION).then(optionBOf).catch(without(null)),
      loadStored(),
      call("GET", INSTALLED)
        .then((answer) => isOn(contentOf(entries(answer)[0]).configured))
        .catch(without(true)),
    ]);
    const own = conf.find((entry) => entry.name === "delivery");
    const tenants = conf.filter((entry) => entry.name.startsWith("tenant:")).map(tenantOf);
    const settings = own && ownerOf(own) === APP ? contentOf(own) : {};
    Object.assign(state, { delivery: settings, mayWrite: Boolean(own && own.acl && own.acl.can_write) });
    state.tenants = tenants.sort((a, b) => (b.name === "main") - (a.name === "main") || (a.name < b.name ? -1 : 1));
    Object.assign(state, { optionB, configured });
  }

  /** What is stored. Who may not read secrets sees no stanza of one either, and no conclusion follows from that. */
  async function loadStored() {
    const [stored, readsSecrets] = await Promise.all([
      call("GET", STORED, { count: "0" }).then(storedNames).catch(noNames),
      call("GET", WHO_ASKS).then(mayReadSecrets).catch(without(null)),
    ]);
    Object.assign(state, { readsSecrets, stored: readsSecrets ? stored : null });
  }

  function mayReadSecrets(answer) {
    const capabilities = list(contentOf(entries(answer)[0]).capabilities);
    return ["list_storage_passwords", "admin_all_objects"].some((one) => capabilities.includes(one));
  }

  /** For what the page can do without: a failure that is not the session's end gives this value. */
  function without(value) {
    return (failure) => {
      if (failure.status === 401) {
        throw failure;
      }
      return value;
    };
  }

  function ownerOf(entry) {
    return (entry.acl && entry.acl.app) || APP;
  }

  function tenantOf(entry) {
    const content = contentOf(entry);
    return {
      name: entry.name.slice("tenant:".length),
      url: String(content.webhook_url || "").trim(),
      paused: isOn(content.disabled),
      owner: ownerOf(entry),
    };
  }

  // credential:<realm>:<name>: with colons inside escaped. Only names are read; `raw` is how splunkd addresses the entry.
  function storedNames(answer) {
    const found = new Map();
    for (const entry of entries(answer)) {
      const [, raw, realm, name] = /^credential:(((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):)$/.exec(entry.name) || [];
      if (raw !== undefined) {
        // Whether a backslash of a name is escaped as well is not documented: both come out right.
        const plain = (text) => text.replace(/\\([:\\])/g, "$1");
        found.set(keyOf(plain(realm), plain(name)), raw);
      }
    }
    return found;
  }

  // 404: passwords.conf has no stanza that this user may see.
  function noNames(failure) {
    return failure.status === 404 ? new Map() : without(null)(failure);
  }

  function keyOf(realm, name) {
    return JSON.stringify([realm, name]);
  }

  function isStored(realm, name) {
    return state.stored !== null && state.stored.has(keyOf(realm, name));
  }

  function secretPath(realm, name) {
    const raw = isStored(realm, name) ? state.stored.get(keyOf(realm, name)) : `${realm}:${name}:`;
    return `${PASSWORDS}/${encodeURIComponent(raw)}`;
  }

  function optionBOf(answer) {
    const [entry] = entries(answer);
    const content = contentOf(entry);
    const url = String(content["param.webhook_url"] || "").trim();
    const token = String(content["param.token"] || "");
    return url || token ? { owner: ownerOf(entry), url, token } : null;
  }

  /** Whether alerts for main go with Option B's values as long as there is no such tenant. */
  function hasOptionB() {
    return Boolean(state.optionB && state.optionB.owner === APP && state.optionB.url && state.optionB.token);
  }

  function stanzaPath(stanza) {
    return `${CONF}/${encodeURIComponent(stanza)}`;
  }

  // ---- What is changed ------------------------------------------------------------------------------------------------

  /** Store a secret: over the one that is there, or as a new one. What splunkd answers holds it in clear, and stays unread. */
  async function store(realm, name, secret) {
    try {
      await call("POST", secretPath(realm, name), { password: secret }, { unread: true });
    } catch (failure) {
      if (failure.status !== 404) {
        throw failure;
      }
      await storeNew(realm, name, secret);
    }
  }

  /** Store a secret where none is; 409 where one is. */
  async function storeNew(realm, name, secret) {
    await call("POST", PASSWORDS, { name, realm, password: secret }, { unread: true });
  }

  /** Remove a stored secret, if there is one. What splunkd answers may list others, and stays unread. */
  async function forget(realm, name) {
    try {
      await call("DELETE", secretPath(realm, name), {}, { unread: true });
    } catch (failure) {
      if (failure.status !== 404) {
        throw failure;
      }
    }
  }

  /** After the first save: Splunk need not send anybody to this page any more. Its failure is no failure of the save. */
  async function markConfigured() {
    if (state.configured) {
      return;
    }
    try {
      await call("POST", INSTALLED, { configured: "true" });
      state.configured = true;
    } catch (failure) {
      notice(
        "page",
        "warn",
        `Saved. ${explain(failure, "to mark the app as configured")} Until then Splunk may offer this page at each start.`,
      );
    }
  }

  /** Read everything again after a save, and show it. What could not be read is said; what was saved is saved. */
  async function saved() {
    await markConfigured();
    try {
      await load();
    } catch (failure) {
      notice("page", "warn", `Saved. What you see may be old: ${explain(failure, "for the settings")}`);
    }
    showAll();
  }

  // ---- Nodes ----------------------------------------------------------------------------------------------------------

  let lastId = 0;

  function newId() {
    lastId += 1;
    return `${MOUNT}-${lastId}`;
  }

  /** A node: `on` are handlers by event, what is no property is an attribute, children are nodes or texts. */
  function make(tag, { on = {}, ...attributes } = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== false) {
        node.setAttribute(name, value === true ? "" : value);
      }
    }
    for (const [event, handler] of Object.entries(on)) {
      node.addEventListener(event, handler);
    }
    node.append(...children.filter((child) => child !== null && child !== "" && child !== false));
    return node;
  }

  function button(text, handler, attributes = {}) {
    const node = make("button", { type: "button", class: "pp-button", ...attributes }, text);
    node.addEventListener("click", (event) => {
      if (node.getAttribute("aria-disabled") !== "true") {
        handler(event);
      }
    });
    return node;
  }

  /** Whether something is under way: its buttons stay in the order of focus, and do nothing. */
  function setBusy(node, busy) {
    node.setAttribute("aria-busy", String(busy));
    for (const one of node.querySelectorAll("button")) {
      one.setAttribute("aria-disabled", String(busy));
    }
  }

  /** Say something where it belongs: `where` is page, tenants, state or delivery; `kind` is ok, warn or bad. "" clears it. */
  function notice(where, kind, text) {
    const node = document.getElementById(`${MOUNT}-${where}-notice`);
    node.className = text ? `pp-notice pp-${kind}` : "pp-notice";
    node.textContent = text;
  }

  function noticePlace(where) {
    return make("div", { id: `${MOUNT}-${where}-notice`, class: "pp-notice", role: "status" });
  }

  function section(where, title, ...children) {
    const id = newId();
    return make(
      "section",
      { class: "pp-section", "aria-labelledby": id },
      make("h2", { id }, title),
      noticePlace(where),
      ...children,
    );
  }

  /** Ask before something that cannot be taken back. Gives whether the answer was yes. */
  function ask(title, texts, yes) {
    return new Promise((resolve) => {
      const [titleId, textId] = [newId(), newId()];
      const dialog = make(
        "dialog",
        { class: "pp-dialog", "aria-labelledby": titleId, "aria-describedby": textId },
        make("h2", { id: titleId }, title),
        make("div", { id: textId }, ...texts.map((text) => make("p", {}, text))),
        make(
          "div",
          { class: "pp-buttons" },
          button(yes, () => dialog.close("yes"), { class: "pp-button pp-danger" }),
          button("Cancel", () => dialog.close(""), { autofocus: true }),
        ),
      );
      dialog.addEventListener("close", () => {
        dialog.remove();
        resolve(dialog.returnValue === "yes");
      });
      state.mount.append(dialog);
      dialog.showModal();
    });
  }

  /**
   * A labelled control with its help and its error.
   * Gives {box, input, value(), set(), error(text, extra), changed(), misplaced()}; `error("")` clears. A token that is typed
   * or pasted into a field for something else is taken out at once: it must be neither shown nor sent there.
   */
  function field({ label, help, value = "", secret = false, choices = null, suffix = null, ...attributes }) {
    const [id, helpId, errorId] = [newId(), newId(), newId()];
    const options = (choices || []).map(([choice, text]) => make("option", { value: choice }, text));
    const input = make(
      choices ? "select" : "input",
      {
        id,
        type: choices ? undefined : secret ? "password" : "text",
        autocomplete: secret ? "new-password" : "off",
        autocapitalize: "none",
        spellcheck: "false",
        "aria-describedby": `${errorId} ${helpId}`,
        ...attributes,
      },
      ...options,
    );
    input.value = value;
    const wrong = make("p", { id: errorId, class: "pp-error", role: "alert" });
    const box = make(
      "div",
      { class: "pp-field" },
      make("label", { for: id }, label),
      make("div", { class: "pp-control" }, input, suffix),
      wrong,
      make("p", { id: helpId, class: "pp-help" }, help),
    );
    const made = {
      box,
      input,
      label,
      initial: value,
      value: () => (secret ? input.value : input.value.trim()),
      changed: () => made.value() !== made.initial,
      misplaced: () =>
        !secret && !choices && /pst_/i.test(input.value)
          ? "is no place for a service token. It was taken out again: paste it into the field Service token."
          : "",
      set(text) {
        input.value = text;
        made.error("");
        input.dispatchEvent(new Event("change", { bubbles: true }));
      },
      error(text, extra = null) {
        wrong.replaceChildren(...(text ? [`${label} ${text}`] : []), ...(extra ? [" ", extra] : []));
        input.setAttribute("aria-invalid", String(Boolean(text)));
      },
    };
    input.addEventListener("input", (event) => {
      const wrongPlace = made.misplaced();
      if (wrongPlace) {
        // Of one that is typed the start stays, so that every letter that follows is taken out as well.
        input.value = event.data && event.data.length === 1 ? "pst_" : "";
      }
      made.error(wrongPlace);
    });
    return made;
  }

  /** Where a form says what went wrong with the whole of it. */
  function formError() {
    return make("p", { class: "pp-error", role: "alert", tabindex: "-1" });
  }

  /** Show a failure where it belongs: at the field whose value was refused, or at the form. Focus goes there. */
  function showFailure(failure, what, formPlace, atField) {
    if (atField && isRefusal(failure)) {
      atField.error(`was not saved. ${explain(failure, what)}`);
      atField.input.focus();
    } else {
      formPlace.textContent = explain(failure, what);
      formPlace.focus();
    }
  }

  /** Check fields: [[field, what is wrong with it, a button that mends it]]. Gives whether all are right; focus goes to the first that is not. */
  function allRight(checks) {
    const wrongOnes = checks.filter(([one, wrong, mend]) => {
      const text = one.misplaced() || wrong;
      one.error(text, mend);
      return text;
    });
    if (wrongOnes.length) {
      wrongOnes[0][0].input.focus();
    }
    return !wrongOnes.length;
  }

  // ---- A tenant's form: for a new one, its URL, its token, or all that an unfinished one lacks ------------------------

  const WHERE = "app.parapetsecurity.com → Settings → Service Tokens";

  /** The webhook URL, as region and tenant id or as a whole. Gives {box, fields, url(), checks()}. */
  function urlChoice(url) {
    const [, region, id] = (!isPrivate(url) && CLOUD_URL.exec(url)) || [];
    const known = ["us", "eu"].includes(region || "us");
    const regions = field({
      label: "Region",
      help: "The part after “webhook-” in your webhook URL.",
      choices: [
        ["us", "us"],
        ["eu", "eu"],
        ["", "another"],
      ],
      value: known ? region || "us" : "",
    });
    const other = field({
      label: "Other region",
      help: "As in the webhook URL, in lower case.",
      value: known ? "" : region,
    });
    const tenantId = field({ label: "Tenant id", help: "The last part of your webhook URL.", value: id || "" });
    const whole = field({
      label: "Whole webhook URL",
      help: `${WHERE} shows it. It starts with https:// and ends in /webhook/ and the tenant id.`,
      value: region || isPrivate(url) ? "" : url,
      inputmode: "url",
    });
    if (isPrivate(url)) {
      whole.error(withheld(url));
    }
    const preview = make("code", {});
    const group = newId();
    const byParts = make("input", { type: "radio", name: group, id: newId() });
    const byWhole = make("input", { type: "radio", name: group, id: newId() });
    byParts.checked = !url || Boolean(region);
    byWhole.checked = !byParts.checked;
    const parts = make(
      "div",
      { class: "pp-indent" },
      make("div", { class: "pp-columns" }, regions.box, other.box, tenantId.box),
      make("p", { class: "pp-preview" }, "Webhook URL: ", preview),
    );
    const choice = (input, text) => make("div", { class: "pp-choice" }, input, make("label", { for: input.id }, text));
    const box = make(
      "fieldset",
      { class: "pp-group" },
      make("legend", {}, "Webhook URL"),
      choice(byParts, "Region and tenant id"),
      parts,
      choice(byWhole, "Whole URL"),
      make("div", { class: "pp-indent" }, whole.box),
    );
    const regionName = () => regions.value() || other.value();
    const formed = () =>
      `https://webhook-${regionName() || "…"}.parapetsecurity.com/webhook/${tenantId.value() || "…"}`;
    const show = () => {
      parts.hidden = !byParts.checked;
      whole.box.parentNode.hidden = byParts.checked;
      other.box.hidden = regions.value() !== "";
      preview.textContent = formed();
    };
    box.addEventListener("input", show);
    box.addEventListener("change", show);
    show();
    return {
      box,
      fields: [regions, other, tenantId, whole],
      main: () => (byParts.checked ? tenantId : whole),
      url: () => (byParts.checked ? formed() : whole.value()),
      checks() {
        if (!byParts.checked) {
          return [[whole, checkUrl(whole.value())]];
        }
        const badRegion = /^[a-z0-9-]+$/.test(regionName()) ? "" : "must be a word of a-z, 0-9 and -, such as us";
        const badId = checkTenantId(tenantId.value()) || (badRegion ? "" : checkUrl(formed()));
        return [
          [regions.value() ? regions : other, badRegion],
          [tenantId, badId],
        ];
      },
    };
  }

  function checkTenantId(text) {
    if (!text) {
      return "is empty: it is the last part of your webhook URL";
    }
    return /[/?#:@\s]/.test(text) ? "is only what follows /webhook/ in the URL; for all of it choose Whole URL" : "";
  }

  function tokenField() {
    return field({
      label: "Service token",
      help: `Starts with pst_. ${WHERE} shows it once. Splunk keeps it encrypted, and this page never shows it again.`,
      secret: true,
    });
  }

  /** What is wrong with the token in this field, with a button that cuts off white space where that is the matter. */
  function tokenCheck(token) {
    const text = token.value();
    const mend =
      text && text !== text.trim() ? button("Cut it off", () => cut(), { class: "pp-button pp-small" }) : null;
    function cut() {
      token.set(text.trim());
      token.error(checkToken(token.value()));
      token.input.focus();
      announce("The white space is cut off.");
    }
    return [token, checkToken(text), mend];
  }

  const TITLES = {
    add: () => "Add a tenant",
    edit: (name) => `Webhook URL of ${name}`,
    token: (name) => `${isStored(APP, name) ? "Replace the" : "Store a"} token of ${name}`,
    finish: (name) => `Finish ${name}`,
  };

  /** Open the form. `kind` is one of TITLES; `tenant` is none for a new one. */
  function openForm(kind, tenant) {
    const key = tenant ? tenant.name : "";
    if (state.forms.has(key) && state.forms.get(key).dirty()) {
      state.forms.get(key).focus();
      return;
    }
    state.forms.set(key, tenantForm(kind, tenant));
    notice("tenants", "", "");
    showTenants();
    state.forms.get(key).focus();
  }

  function tenantForm(kind, tenant) {
    const titleId = newId();
    const name = kind === "add" ? nameField() : null;
    const url = kind === "token" ? null : urlChoice(tenant ? tenant.url : "");
    const token = kind === "edit" ? null : tokenField();
    const fields = [...(name ? [name] : []), ...(url ? url.fields : []), ...(token ? [token] : [])];
    const wrong = formError();
    // What is done already, when a step fails and the form is sent again.
    const done = { created: kind !== "add", url: tenant ? tenant.url : "", token: !token };

    const steps = {
      async find(title) {
        await call("GET", stanzaPath(`tenant:${title}`));
      },
      async create(title) {
        const form = { name: `tenant:${title}`, webhook_url: url.url(), disabled: "1" };
        await call("POST", CONF, form);
        Object.assign(done, { created: true, url: url.url() });
        name.input.readOnly = true;
      },
      async url(title) {
        await call("POST", stanzaPath(`tenant:${title}`), { webhook_url: url.url() });
        done.url = url.url();
      },
      async token(title) {
        await store(APP, title, token.value());
        done.token = true;
        token.input.value = "";
      },
      async start(title) {
        await call("POST", stanzaPath(`tenant:${title}`), { disabled: "0" });
      },
    };
    const asked = {
      find: "for the tenant",
      create: "to add the tenant",
      url: "to save the URL",
      token: "to store the token",
      start: "to let its alerts go",
    };
    const places = { url: () => url.main(), token: () => token };

    function due() {
      return [
        // Nothing is stored for a tenant that somebody has removed.
        done.created ? "find" : "create",
        ...(done.created && url && url.url() !== done.url ? ["url"] : []),
        ...(done.token && !(token && token.value()) ? [] : ["token"]),
        ...(kind === "add" || kind === "finish" ? ["start"] : []),
      ];
    }

    async function save(event) {
      event.preventDefault();
      wrong.textContent = "";
      const title = name ? name.value() : tenant.name;
      const checks = [
        ...(name ? [[name, checkName(title)]] : []),
        ...(url ? url.checks() : []),
        ...(token && !(done.token && !token.value()) ? [tokenCheck(token)] : []),
      ];
      if (node.getAttribute("aria-busy") === "true" || !allRight(checks)) {
        return;
      }
      setBusy(node, true);
      for (const step of due()) {
        try {
          await steps[step](title);
        } catch (failure) {
          setBusy(node, false);
          fail(step, failure, title);
          return;
        }
      }
      state.forms.delete(name ? "" : tenant.name);
      state.results.delete(title);
      await saved();
      notice("tenants", "ok", `Tenant ${title} is saved. Press Test to see whether it works.`);
      focusOn(buttonId("test", title));
    }

    function fail(step, failure, title) {
      if (step === "create" && failure.status === 409) {
        name.error(`is taken: a tenant of this name exists. Choose another, or edit ${title} in the table`);
        name.input.focus();
        return;
      }
      if (step === "find" && failure.status === 404) {
        wrong.textContent = `Somebody has removed the tenant ${title} meanwhile. Nothing was saved: reload the page.`;
        wrong.focus();
        return;
      }
      showFailure(failure, asked[step], wrong, places[step] && places[step]());
      if (name && done.created) {
        wrong.textContent += ` The tenant ${title} is there, paused, until this form is saved.`;
      }
    }

    async function cancel() {
      state.forms.delete(name ? "" : tenant.name);
      if (name && done.created) {
        await saved();
      } else {
        showTenants();
      }
      focusOn(name ? buttonId("add", "") : buttonId(kind, tenant.name));
    }

    const node = make(
      "form",
      { class: "pp-form", novalidate: true, "aria-labelledby": titleId, on: { submit: save } },
      make("h3", { id: titleId }, TITLES[kind](tenant ? tenant.name : "")),
      wrong,
      name ? name.box : null,
      url ? url.box : null,
      token ? token.box : null,
      make(
        "div",
        { class: "pp-buttons" },
        make("button", { type: "submit", class: "pp-button pp-primary" }, "Save"),
        button("Cancel", cancel),
      ),
    );
    return {
      node,
      dirty: () => fields.some((one) => one.changed()),
      focus: () => (name || (url ? url.main() : token)).input.focus(),
    };
  }

  function nameField() {
    const first = !state.tenants.some((tenant) => tenant.owner === APP);
    return field({
      label: "Name",
      help: "How alerts name this tenant: a-z, 0-9, _ and -, at most 64. An alert that names none goes to main.",
      value: first ? "main" : "",
      maxlength: "64",
    });
  }

  // ---- The table of tenants -------------------------------------------------------------------------------------------

  function buttonId(action, name) {
    return `${MOUNT}-${action}-${name}`;
  }

  function focusOn(id) {
    const node = document.getElementById(id);
    if (node) {
      node.focus();
    }
  }

  function showTenants() {
    const place = document.getElementById(`${MOUNT}-tenants`);
    const focused = place.contains(document.activeElement) ? document.activeElement : null;
    const adding = state.forms.get("");
    place.replaceChildren(
      ...(state.tenants.length ? [tenantTable()] : [make("p", { class: "pp-empty" }, nothingYet())]),
      ...(adding ? [adding.node] : []),
      ...(state.mayWrite && !adding
        ? [
            make(
              "div",
              { class: "pp-buttons" },
              button("Add a tenant", () => openForm("add", null), {
                id: buttonId("add", ""),
                class: "pp-button pp-primary",
              }),
            ),
          ]
        : []),
    );
    if (focused) {
      (place.contains(focused) ? focused : document.getElementById(focused.id) || place).focus();
    }
  }

  function nothingYet() {
    if (hasOptionB()) {
      return "No tenant is stored here yet. Alerts go with the webhook URL and the token of alert_actions.conf.";
    }
    return state.mayWrite
      ? "No tenant is connected yet, so alerts wait. Add the first one with the webhook URL and the service token that Parapet Security shows you."
      : "No tenant is connected yet, so alerts wait.";
  }

  function tenantTable() {
    const heads = ["Tenant", "Webhook URL", "Token", "State", ...(state.mayWrite ? ["Actions"] : [])];
    return make(
      "table",
      { class: "pp-table" },
      make("caption", {}, "Where alerts go"),
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, ...[].concat(...state.tenants.map((tenant) => tenantRows(tenant, heads.length)))),
    );
  }

  function tenantRows(tenant, width) {
    const wrongName = checkName(tenant.name);
    const wrongUrl = tenant.owner === APP ? checkUrl(tenant.url) : "";
    const cell = (head, ...content) => make("td", { "data-head": head }, make("div", {}, ...content));
    const more = [
      state.results.get(tenant.name),
      state.forms.has(tenant.name) ? state.forms.get(tenant.name).node : null,
    ].filter(Boolean);
    const row = make(
      "tr",
      { class: more.length ? "pp-open" : undefined },
      make(
        "th",
        { scope: "row" },
        make("span", { class: "pp-name" }, tenant.name),
        " ",
        tenant.name === "main" ? make("span", { class: "pp-tag" }, "default") : null,
        wrongName ? make("p", { class: "pp-error" }, `This name ${wrongName}`) : null,
      ),
      cell(
        "Webhook URL",
        make("span", { class: "pp-url" }, (isPrivate(tenant.url) ? shown(tenant.url) : tenant.url) || "none"),
        wrongUrl ? make("p", { class: "pp-error" }, `webhook_url ${wrongUrl}`) : null,
      ),
      cell("Token", tokenWord(tenant)),
      cell("State", stateWord(tenant)),
      state.mayWrite ? cell("Actions", tenantButtons(tenant)) : null,
    );
    return more.length ? [row, make("tr", { class: "pp-more" }, make("td", { colspan: width }, ...more))] : [row];
  }

  function badge(kind, text) {
    return make("span", { class: `pp-badge pp-${kind}` }, text);
  }

  function tokenWord(tenant) {
    if (state.stored === null || tenant.owner !== APP) {
      return badge("quiet", "Not shown to you");
    }
    return isStored(APP, tenant.name) ? badge("ok", "Stored") : badge("bad", "Missing");
  }

  function isUnfinished(tenant) {
    return tenant.paused && state.stored !== null && !isStored(APP, tenant.name);
  }

  function stateWord(tenant) {
    if (tenant.owner !== APP) {
      return make(
        "span",
        {},
        badge("bad", "Ignored"),
        make("p", { class: "pp-help" }, `This stanza belongs to the app ${tenant.owner}. Set it in this app instead.`),
      );
    }
    if (isUnfinished(tenant)) {
      return make("span", {}, badge("warn", "Not finished"), make("p", { class: "pp-help" }, "Its alerts wait."));
    }
    return tenant.paused
      ? make("span", {}, badge("warn", "Paused"), make("p", { class: "pp-help" }, "Its alerts wait."))
      : badge("ok", "Active");
  }

  function tenantButtons(tenant) {
    if (tenant.owner !== APP) {
      return make("span", { class: "pp-help" }, "none here");
    }
    const one = (action, text, handler, look = "") =>
      button(text, handler, {
        id: buttonId(action, tenant.name),
        class: `pp-button pp-small ${look}`,
        "aria-label": `${text} ${tenant.name}`,
      });
    const stored = isStored(APP, tenant.name);
    const tester = one("test", "Test", () => test(tenant), "pp-strong");
    tester.setAttribute("aria-disabled", String(state.testing.has(tenant.name)));
    const remover = one("remove", "Remove", () => remove(tenant), "pp-quiet-danger");
    if (checkName(tenant.name)) {
      return make("div", { class: "pp-actions" }, remover);
    }
    return make(
      "div",
      { class: "pp-actions" },
      ...(isUnfinished(tenant)
        ? [one("finish", "Finish", () => openForm("finish", tenant), "pp-primary")]
        : [
            tester,
            one("edit", "Edit", () => openForm("edit", tenant)),
            one("token", stored ? "Replace token" : "Store token", () => openForm("token", tenant)),
            tenant.paused
              ? one("pause", "Resume", () => pause(tenant, false))
              : one("pause", "Pause", () => pause(tenant, true)),
          ]),
      remover,
    );
  }

  async function pause(tenant, paused) {
    try {
      await call("POST", stanzaPath(`tenant:${tenant.name}`), { disabled: paused ? "1" : "0" });
    } catch (failure) {
      notice("tenants", "bad", explain(failure, paused ? `to pause ${tenant.name}` : `to resume ${tenant.name}`));
      return;
    }
    // What a test said of its pause is no longer so.
    state.results.delete(tenant.name);
    await saved();
    notice(
      "tenants",
      "ok",
      paused
        ? `Tenant ${tenant.name} is paused: its alerts wait, and none is lost.`
        : `Tenant ${tenant.name} goes on: alerts that waited go now.`,
    );
  }

  async function remove(tenant) {
    notice("tenants", "", "");
    // Nothing can wait for what is no tenant's name, and it must not get into a search.
    const waiting = checkName(tenant.name) ? 0 : await waitingFor(tenant.name);
    const goesOn = tenant.name === "main" && hasOptionB();
    const stays = goesOn ? "" : " What waits stays in the outbox until a tenant of this name is added again.";
    const texts = [
      "This removes its webhook URL and its stored token from every member. To start again you need a service token again.",
      `${waiting === null ? "How many alerts wait for it is not known." : `${count(waiting, "alert waits", "alerts wait")} for it on this host.`}${stays}`,
      ...(goesOn ? ["Alerts for main go with the webhook URL and the token of alert_actions.conf from then on."] : []),
      ...(tenant.name === "main" && !goesOn
        ? ["main is the default: alerts that name no tenant wait until there is a main again."]
        : []),
    ];
    if (!(await ask(`Remove tenant ${tenant.name}?`, texts, "Remove"))) {
      return;
    }
    try {
      await call("DELETE", stanzaPath(`tenant:${tenant.name}`));
    } catch (failure) {
      notice("tenants", "bad", explain(failure, `to remove ${tenant.name}`));
      return;
    }
    let left = "";
    try {
      await forget(APP, tenant.name);
    } catch (failure) {
      left = ` Its token is still stored: ${explain(failure, "to remove the token")} To remove it, add a tenant of this name and remove it again.`;
    }
    state.forms.delete(tenant.name);
    state.results.delete(tenant.name);
    await saved();
    notice("tenants", left ? "warn" : "ok", `Tenant ${tenant.name} is removed.${left}`);
    focusOn(buttonId("add", ""));
  }

  /** How many alerts wait for a tenant on this host; null where that cannot be found out. */
  async function waitingFor(name) {
    try {
      const rows = await search(`| parapetoutbox | where tenant="${name}" | table state`, 15);
      return rows.filter((row) => row.state !== "dead").length;
    } catch (failure) {
      return null;
    }
  }

  // ---- Testing a tenant -----------------------------------------------------------------------------------------------

  function unsaved() {
    return [...state.forms.values()].some((form) => form.dirty()) || delivery.dirty();
  }

  async function test(tenant) {
    const before = unsaved() ? "What is typed above or below and not saved yet was not part of this test. " : "";
    notice("tenants", "", "");
    state.results.set(
      tenant.name,
      make("p", { class: "pp-result" }, `Testing ${tenant.name}: one small request goes to its webhook …`),
    );
    state.testing.add(tenant.name);
    showTenants();
    announce(`Testing ${tenant.name}.`);
    let result;
    try {
      const rows = await search(`| parapettest tenant="${tenant.name}"`, 60);
      result = rows[0]
        ? testResult(tenant.name, rows[0], before)
        : failedTest(tenant.name, "The search gave no answer. Try again.");
    } catch (failure) {
      // Splunk Web gives up on splunkd after a while, and says one of these.
      const late = [503, 504].includes(failure.status) || /daemon is not responding/i.test(failure.said);
      result = failedTest(
        tenant.name,
        late
          ? `Splunk took too long to answer. Try again, or run | parapettest tenant=${tenant.name} in Search.`
          : explainSearch(failure, "to test the tenant"),
      );
    }
    state.testing.delete(tenant.name);
    state.results.set(tenant.name, result);
    showTenants();
    announce(result.textContent);
  }

  function failedTest(name, text) {
    return make(
      "div",
      { class: "pp-result pp-bad" },
      make("p", { class: "pp-outcome" }, `The test of ${name} could not run. `),
      make("p", {}, text),
    );
  }

  function testResult(name, row, before) {
    const works = row.outcome === "ok";
    const tls = [row.tls, row.issuer && `certificate by ${row.issuer}`].filter(Boolean).join(", ");
    const facts = [
      ["HTTP status", row.status],
      ["Time", row.ms && `${row.ms} ms`],
      ["TLS", tls],
      ["Forwarder", row.forwarder],
      ["From host", row.host],
      ["Tested at", clockTime(new Date())],
    ].filter(([, value]) => value);
    return make(
      "div",
      { class: `pp-result pp-${works ? "ok" : "bad"}` },
      make("p", { class: "pp-outcome" }, works ? `${name} works. ` : `The test of ${name} failed. `),
      make("p", {}, `${before}${sentence(row.detail)} `),
      row.todo ? make("p", {}, make("strong", {}, "What to do: "), `${sentence(row.todo)} `) : null,
      make(
        "dl",
        { class: "pp-facts" },
        ...facts.map(([term, value]) => make("div", {}, make("dt", {}, term), " ", make("dd", {}, String(value)), " ")),
      ),
    );
  }

  // ---- What waits, here and on the other members of a cluster ---------------------------------------------------------

  const OUTBOX = "| parapetoutbox summary=true";
  const MEMBERS =
    'search `parapet_security_index` sourcetype="parapet_security:log" event=outbox.state earliest=-15m' +
    " | dedup host | table host _time role waiting dead oldest_s held paused blocked";

  const DELIVERERS = {
    __proto__: null,
    forwarder: (host) => `The forwarder runs on ${host} and delivers.`,
    handler: (host) => `No forwarder runs on ${host}. Splunk's own process delivers what waits at the moment.`,
    action: (host) =>
      `No forwarder runs on ${host}. The process that Splunk started for an alert delivers at the moment.`,
    command: (host) => `No forwarder runs on ${host}. A search command delivers at the moment.`,
    none: (host) =>
      `No forwarder runs on ${host}. What waits goes with the next alert. To change that, restart Splunk if the app was just installed, or enable the input under Settings → Data inputs → Parapet Security forwarder.`,
    unknown: (host) => `It is not known what delivers on ${host}.`,
  };

  const outbox = { row: null, failure: "", members: [], membersFailure: "", asked: false, busy: false };

  async function refresh() {
    if (outbox.busy) {
      return;
    }
    outbox.busy = true;
    const what = "for the state of the outbox";
    const fail = (failure) => (state.mayWrite ? explainSearch(failure, what) : `Only ${WHO} see what waits.`);
    await Promise.all([
      search(OUTBOX, 60).then(
        (rows) =>
          Object.assign(outbox, rows[0] ? { row: rows[0], failure: "" } : { failure: "The search gave no answer." }),
        (failure) => Object.assign(outbox, { row: null, failure: fail(failure) }),
      ),
      search(MEMBERS, 60).then(
        (rows) => Object.assign(outbox, { members: rows, membersFailure: "" }),
        (failure) =>
          Object.assign(outbox, {
            members: [],
            membersFailure: explainSearch(failure, "for the other members' state"),
          }),
      ),
    ]);
    Object.assign(outbox, { busy: false, asked: true, at: new Date() });
    showState();
    applyTheme();
  }

  function figure(term, value, ...more) {
    return make("div", { class: "pp-figure" }, make("dt", {}, term), make("dd", {}, value, ...more));
  }

  function showState() {
    const [own, others] = [`${MOUNT}-state`, `${MOUNT}-others`].map((id) => document.getElementById(id));
    own.replaceChildren(outbox.asked ? ownState() : make("p", { class: "pp-help" }, "Asking …"));
    others.replaceChildren(...(outbox.asked ? [otherMembers()] : []));
  }

  function ownState() {
    const row = outbox.row;
    if (!row) {
      return make("p", { class: "pp-notice pp-warn" }, `What waits on this host is not known. ${outbox.failure}`);
    }
    const waiting = Number(row.waiting) || 0;
    const dead = Number(row.dead) || 0;
    const host = row.host || "this host";
    return make(
      "div",
      {},
      make(
        "p",
        { class: "pp-lead" },
        badge(row.deliverer === "forwarder" ? "ok" : "warn", row.deliverer === "forwarder" ? "Running" : "Not running"),
        ` ${(DELIVERERS[row.deliverer] || DELIVERERS.unknown)(host)}`,
      ),
      make(
        "dl",
        { class: "pp-figures" },
        figure("Alerts that wait", waiting.toLocaleString("en-US")),
        figure("Oldest of them", waiting ? age(Number(row.oldest_s) || 0) : "–"),
        figure("Dead letters", dead.toLocaleString("en-US")),
        figure("Outbox", bytes(Number(row.bytes) || 0), make("small", {}, ` of ${bytes(Number(row.max_bytes) || 0)}`)),
      ),
      reasons("Tenants that are held", list(row.held)),
      reasons("Why letters are dead", list(row.dead_reasons)),
      make(
        "p",
        { class: "pp-help" },
        [
          `As of ${clockTime(outbox.at)}.`,
          row.last_state ? `The outbox last told its state at ${clockTime(new Date(row.last_state))}.` : "",
        ].join(" "),
      ),
    );
  }

  function reasons(title, texts) {
    return texts.length
      ? make(
          "div",
          { class: "pp-reasons" },
          make("h3", {}, title),
          make("ul", {}, ...texts.map((text) => make("li", {}, withoutSecrets(String(text))))),
        )
      : null;
  }

  function shortHost(host) {
    return String(host || "")
      .toLowerCase()
      .split(".")[0];
  }

  function otherMembers() {
    const here = outbox.row ? shortHost(outbox.row.host) : null;
    const others = outbox.members.filter((row) => shortHost(row.host) !== here);
    const heads = ["Host", "Delivers", "Waiting", "Oldest", "Dead", "Held", "Seen"];
    const cell = (index, value) => make("td", { "data-head": heads[index] }, make("div", {}, value || "–"));
    const line = (row) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, String(row.host)),
        cell(1, row.role),
        cell(2, row.waiting),
        cell(3, Number(row.waiting) ? age(Number(row.oldest_s) || 0) : ""),
        cell(4, row.dead),
        cell(5, [...list(row.held), ...list(row.paused), ...list(row.blocked)].join(", ")),
        cell(6, seen(row._time)),
      );
    const table = make(
      "table",
      { class: "pp-table" },
      make("caption", {}, "Other members, by the app's log of the last 15 minutes"),
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, ...others.map(line)),
    );
    const nobody = state.mayWrite
      ? "None has written a line into the app's log in the last 15 minutes. On a single search head that is as it should be."
      : "None has written a line that you may search into the app's log in the last 15 minutes.";
    return make(
      "div",
      { class: "pp-others" },
      make("h3", {}, "Other members of the cluster"),
      others.length ? table : make("p", { class: "pp-help" }, outbox.membersFailure || nobody),
    );
  }

  function seen(time) {
    const date = /^\d+(\.\d+)?$/.test(time) ? new Date(Number(time) * 1000) : new Date(time);
    return Number.isNaN(date.getTime()) ? "" : `${age(Math.max(splunkNow() - date.getTime() / 1000, 0))} ago`;
  }

  function stateButtons() {
    const again = button("Refresh", async () => {
      again.setAttribute("aria-disabled", "true");
      await refresh();
      again.setAttribute("aria-disabled", "false");
      announce("Refreshed.");
    });
    return make(
      "div",
      { class: "pp-buttons" },
      again,
      ...(state.mayWrite ? [button("Retry all dead letters on every member", retryDead)] : []),
    );
  }

  async function retryDead() {
    const dead = outbox.row ? Number(outbox.row.dead) || 0 : null;
    const here =
      dead === null
        ? "How many there are is not known."
        : `${count(dead, "letter is", "letters are")} dead on this host.`;
    const texts = [
      `${here} Every member tries its own once more.`,
      "Mend first what made them dead letters: what is refused again is dead again.",
    ];
    if (!(await ask("Retry all dead letters?", texts, "Retry all"))) {
      return;
    }
    try {
      await call("POST", stanzaPath("delivery"), { retry_dead: String(splunkNow()) });
    } catch (failure) {
      notice("state", "bad", explain(failure, "to retry the dead letters"));
      return;
    }
    await saved();
    notice("state", "ok", "Every member has been asked to try its dead letters once more. It begins within seconds.");
    refresh();
  }

  // ---- How alerts are delivered ---------------------------------------------------------------------------------------

  const SETTINGS = [
    {
      key: "proxy_url",
      label: "Proxy URL",
      fallback: "",
      check: checkProxy,
      help: `A forward proxy, ${PROXY_FORM}. Empty means none; the proxy settings of the environment are not consulted.`,
    },
    {
      key: "proxy_username",
      label: "Proxy user name",
      fallback: "",
      check: checkProxyUser,
      help: "Where the proxy asks for one. When it changes, the password of the former one is removed.",
    },
    {
      key: "ca_file",
      label: "CA file",
      fallback: "",
      check: () => "",
      help: "The path of a PEM file on every search head, with the certificates to trust instead of the public authorities.",
    },
    {
      key: "read_timeout",
      label: "Read time-out",
      fallback: "30",
      rule: { low: 1, high: 300, unit: "seconds", whole: false },
      help: "How long one attempt waits for the tenant to say something.",
    },
    {
      key: "outbox_max_bytes",
      label: "Size of the outbox",
      fallback: String(GIB),
      rule: { low: MIB, high: 999999999999999, unit: "bytes", whole: true },
      sized: true,
      help: "What the outbox on one host may hold. Dead letters have a fifth of it at most.",
    },
    {
      key: "dead_days",
      label: "Days for dead letters",
      fallback: "14",
      rule: { low: 1, high: 365, unit: "days", whole: true },
      help: "How long alerts are kept that the tenant refused for good.",
    },
  ];
  const IN_FILE = [
    ["connect_timeout", "10", "seconds"],
    ["max_body_bytes", "1048576", "bytes"],
    ["workers", "4", "connections"],
    ["retry_first", "1", "seconds"],
    ["retry_max", "300", "seconds"],
    ["hold_retry", "60", "seconds"],
    ["direct_deadline", "60", "seconds"],
    ["log_level", "INFO", ""],
  ];

  const delivery = {
    fields: [],
    password: null,
    dirty: () => [...delivery.fields, delivery.password].some((one) => one && one.changed()),
  };

  function storedSetting(key) {
    const value = state.delivery[key];
    return value === undefined || value === null ? "" : String(value).trim();
  }

  function limits({ rule, sized, fallback }) {
    if (!rule) {
      return "Default: empty.";
    }
    return sized
      ? `Range: ${bytes(rule.low)} and up. Default: ${bytes(Number(fallback))}.`
      : `Range: ${rule.low} to ${rule.high} ${rule.unit}. Default: ${fallback}.`;
  }

  /** A size as people write it: [number, unit in bytes]. */
  function sizeParts(text) {
    const number = Number(text);
    if (!NUMBER.test(text)) {
      return [text, MIB];
    }
    return number % GIB === 0 ? [String(number / GIB), GIB] : [String(Number((number / MIB).toFixed(6))), MIB];
  }

  /** One setting's field; `text()` is what splunkd would be sent. */
  function settingField(setting) {
    const stored = storedSetting(setting.key) || setting.fallback;
    const hidden = setting.key === "proxy_url" ? isPrivate(stored) : /pst_/i.test(stored);
    const given = hidden ? "" : stored;
    const [shownText, factor] = setting.sized ? sizeParts(given) : [given, 1];
    const unit = setting.sized
      ? make(
          "select",
          { "aria-label": `Unit of ${setting.label.toLowerCase()}` },
          make("option", { value: MIB }, "MiB"),
          make("option", { value: GIB }, "GiB"),
        )
      : null;
    const exact = setting.rule ? make("span", { class: "pp-unit" }, setting.sized ? "" : setting.rule.unit) : null;
    const back = button("Back to default", restore, {
      class: "pp-button pp-small",
      "aria-label": `Back to default: ${setting.label}`,
    });
    const one = field({
      label: setting.label,
      help: `${setting.help} ${limits(setting)}`,
      value: shownText,
      inputmode: setting.rule ? "decimal" : undefined,
      class: setting.rule ? "pp-short" : undefined,
      suffix: make("span", { class: "pp-suffix" }, unit, exact, back),
    });
    const factorNow = () => (unit ? Number(unit.value) : 1);

    function text() {
      const typed = one.value();
      if (typed === "") {
        return setting.fallback;
      }
      return setting.sized && NUMBER.test(typed) ? String(Math.round(Number(typed) * factorNow())) : typed;
    }
    function check() {
      if (hidden && !one.changed()) {
        return withheld(stored);
      }
      const wrong = setting.check ? setting.check(text()) : checkNumber(setting.rule, text());
      return wrong && setting.sized
        ? `must be a number, and at least ${bytes(setting.rule.low)} (got ${shown(one.value())})`
        : wrong;
    }
    function restore() {
      const [defaultText, defaultFactor] = setting.sized ? sizeParts(setting.fallback) : [setting.fallback, 1];
      // Empty is then no longer how a value that is not shown looks.
      base = hidden ? null : base;
      type(defaultText, defaultFactor);
      one.input.focus();
    }
    function type(typed, size) {
      if (unit) {
        unit.value = String(size);
      }
      one.set(typed);
    }
    function follow() {
      back.hidden = !state.mayWrite || (text() === setting.fallback && !(hidden && !one.changed()));
      if (setting.sized) {
        exact.textContent = NUMBER.test(text()) ? `= ${Number(text()).toLocaleString("en-US")} bytes` : "";
      }
    }
    one.box.addEventListener("input", follow);
    one.box.addEventListener("change", follow);
    let base = keyOf(shownText, factor);
    Object.assign(one, {
      key: setting.key,
      text,
      typed: () => [one.value(), factorNow()],
      type,
      check,
      changed: () => keyOf(...one.typed()) !== base,
      isSaved(typed) {
        base = keyOf(...typed);
      },
    });
    type(shownText, factor);
    one.input.readOnly = !state.mayWrite;
    if (unit) {
      unit.disabled = !state.mayWrite;
    }
    return one;
  }

  function showDelivery() {
    const inputs = () => [...delivery.fields, delivery.password].map((one) => one && one.input);
    const focused = inputs().indexOf(document.activeElement);
    const kept = new Map(delivery.fields.filter((one) => one.changed()).map((one) => [one.key, one.typed()]));
    const keptPassword = delivery.password ? delivery.password.value() : "";
    delivery.fields = SETTINGS.map(settingField);
    const user = storedSetting("proxy_username");
    delivery.password = field({
      label: "Proxy password",
      help: passwordHelp(user),
      secret: true,
    });
    delivery.password.input.readOnly = !state.mayWrite;
    const wrong = formError();
    const [proxyUrl, proxyUser, ca, timeout, size, days] = delivery.fields.map((one) => one.box);
    const group = (title, ...boxes) => make("fieldset", { class: "pp-group" }, make("legend", {}, title), ...boxes);
    const form = make(
      "form",
      {
        class: "pp-plain",
        novalidate: true,
        "aria-label": "Delivery settings",
        on: { submit: (event) => saveDelivery(event, form, wrong) },
      },
      wrong,
      group("Network", make("div", { class: "pp-columns" }, proxyUrl, proxyUser, delivery.password.box), ca),
      group("Time and storage", make("div", { class: "pp-columns" }, timeout, size, days)),
      state.mayWrite
        ? make(
            "div",
            { class: "pp-buttons" },
            make(
              "button",
              { type: "submit", class: "pp-button pp-primary", id: buttonId("delivery", "save") },
              "Save delivery settings",
            ),
            button("Undo changes", undoDelivery),
          )
        : null,
    );
    document.getElementById(`${MOUNT}-delivery`).replaceChildren(form, inFile());
    for (const one of delivery.fields) {
      if (kept.has(one.key)) {
        one.type(...kept.get(one.key));
      }
      if (!one.changed() && one.check()) {
        one.error(`${one.check()}; the default counts`);
      }
    }
    delivery.password.input.value = keptPassword;
    if (focused >= 0) {
      inputs()[focused].focus();
    }
  }

  function passwordHelp(user) {
    if (state.stored === null) {
      return "Whether one is stored is not shown to you.";
    }
    return user && isStored(PROXY_REALM, user)
      ? `One is stored for ${user}. Type another to replace it; it is never shown.`
      : "None is stored. Splunk keeps it encrypted, and this page never shows it.";
  }

  function inFile() {
    const facts = IN_FILE.map(([key, fallback, unit]) =>
      make(
        "div",
        {},
        make("dt", {}, make("code", {}, key)),
        make(
          "dd",
          {},
          `${withoutSecrets(storedSetting(key)) || fallback} ${unit}`.trim(),
          storedSetting(key) && storedSetting(key) !== fallback ? ` (default ${fallback})` : "",
        ),
      ),
    );
    return make(
      "details",
      { class: "pp-details" },
      make("summary", {}, "Settings that only the file has"),
      make(
        "p",
        {},
        "These are in the stanza [delivery] of parapet_security.conf; README/parapet_security.conf.spec explains each. Their present values:",
      ),
      make("dl", { class: "pp-facts" }, ...facts),
    );
  }

  function undoDelivery() {
    delivery.fields = [];
    delivery.password = null;
    showDelivery();
    notice("delivery", "ok", "The settings are as they are stored.");
    focusOn(buttonId("delivery", "save"));
  }

  function deliveryChecks(changed) {
    const by = Object.assign({}, ...delivery.fields.map((one) => ({ [one.key]: one })));
    const password = delivery.password.value();
    const [url, user] = [by.proxy_url, by.proxy_username];
    const checks = changed.map((one) => [one, one.check()]);
    if (user.text() && !url.text()) {
      checks.push([url, "is empty, but there is a user name: set both, or neither"]);
    }
    if (password && !user.text()) {
      checks.push([user, "is empty, but there is a password: enter whose it is"]);
    }
    if (/pst_/i.test(password)) {
      delivery.password.input.value = "";
      checks.push([delivery.password, "is no place for a service token. It was taken out again"]);
    } else if (
      user.text() &&
      user.changed() &&
      !password &&
      state.stored !== null &&
      !isStored(PROXY_REALM, user.text())
    ) {
      checks.push([delivery.password, "is not stored for this user name: enter it"]);
    }
    return checks;
  }

  async function saveDelivery(event, form, wrong) {
    event.preventDefault();
    wrong.textContent = "";
    notice("delivery", "", "");
    const changed = delivery.fields.filter((one) => one.changed());
    if (form.getAttribute("aria-busy") === "true" || !allRight(deliveryChecks(changed))) {
      return;
    }
    const password = delivery.password;
    const secret = password.value();
    if (!changed.length && !secret) {
      notice("delivery", "ok", "Nothing has changed.");
      return;
    }
    // As they are now: typing may go on while they are saved.
    const typed = changed.map((one) => [one, one.typed()]);
    const settings = Object.assign({}, ...changed.map((one) => ({ [one.key]: one.text() })));
    const [before, user] = [
      storedSetting("proxy_username"),
      delivery.fields.find((one) => one.key === "proxy_username").text(),
    ];
    setBusy(form, true);
    try {
      if (secret) {
        await store(PROXY_REALM, user, secret);
        password.input.value = password.value() === secret ? "" : password.value();
      }
    } catch (failure) {
      setBusy(form, false);
      showFailure(failure, "to store the proxy's password", wrong, password);
      return;
    }
    try {
      if (changed.length) {
        await call("POST", stanzaPath("delivery"), settings);
      }
    } catch (failure) {
      setBusy(form, false);
      const named = changed.find((one) => failure.said.includes(one.key)) || (changed.length === 1 ? changed[0] : null);
      showFailure(failure, "to save the settings", wrong, named);
      return;
    }
    const left = before && before !== user ? await removePassword(before) : "";
    typed.forEach(([one, values]) => one.isSaved(values));
    await saved();
    const names = changed.map((one) => one.label.toLowerCase());
    notice(
      "delivery",
      left ? "warn" : "ok",
      `Saved${names.length ? `: ${names.join(", ")}` : ""}. It takes effect within seconds, on every member.${left}`,
    );
    if (!delivery.dirty()) {
      focusOn(buttonId("delivery", "save"));
    }
  }

  async function removePassword(user) {
    try {
      await forget(PROXY_REALM, user);
      return "";
    } catch (failure) {
      return ` The password of ${user} is still stored: ${explain(failure, "to remove it")}`;
    }
  }

  // ---- The guide's Option B: a token in plain text, and the way out of it ---------------------------------------------

  function showOptionB(failed = "") {
    const place = document.getElementById(`${MOUNT}-optionb`);
    const found = state.optionB;
    if (!found || !found.token) {
      place.replaceChildren();
      return;
    }
    const titleId = newId();
    const banner = (...children) =>
      place.replaceChildren(
        make(
          "section",
          { class: "pp-banner", "aria-labelledby": titleId },
          make("h2", { id: titleId }, "A service token lies in plain text"),
          ...children,
        ),
      );
    if (found.owner !== APP) {
      banner(
        make(
          "p",
          {},
          `It is in the stanza [parapet_security] of the app ${found.owner}, in its alert_actions.conf, for every user to read. It is ignored there: remove it from that file, and connect a tenant below.`,
        ),
      );
      return;
    }
    const main = state.tenants.find((tenant) => tenant.name === "main" && tenant.owner === APP);
    const counts = main && isStored(APP, "main");
    const own = main ? " The tenant keeps its own webhook URL, and a stored token where it has one." : "";
    const meaning = counts
      ? "The tenant main has a stored token, which counts; this one is not used. One click clears it, and its URL, from the file."
      : `One click stores it encrypted as the token of the tenant main, checks that it is there, and clears it from the file.${own}`;
    const wrong = formError();
    wrong.textContent = failed;
    const run = button(counts ? "Clear it" : "Move it into Splunk's password storage", () => move(run, Boolean(main)), {
      class: "pp-button pp-primary",
    });
    banner(
      make("p", {}, "param.token in this app's local/alert_actions.conf can be read by every user of Splunk."),
      make("p", {}, meaning),
      wrong,
      ...(state.mayWrite ? [make("div", { class: "pp-buttons" }, run)] : []),
    );
  }

  async function move(run, hasMain) {
    const { url, token } = state.optionB;
    let counts = false;
    let what = "for the tenant main";
    run.setAttribute("aria-disabled", "true");
    try {
      if (hasMain && state.stored === null) {
        await loadStored();
      } else if (!hasMain && (await isThere("main"))) {
        throw new Failure(409, "");
      }
      counts = hasMain && isStored(APP, "main");
      const problems = [
        ["param.webhook_url", hasMain ? "" : checkUrl(url)],
        ["param.token", checkToken(token)],
      ].filter(([, text]) => text && !counts);
      if (problems.length) {
        const texts = problems.map(([name, text]) => `${name} ${text}.`).join(" ");
        throw new Failure(200, `Nothing was moved or cleared. ${texts} Mend the file, or add the tenant main below.`);
      }
      if (!counts) {
        what = "to store the token";
        counts = await moveToken(token, hasMain);
      }
      if (!hasMain) {
        what = "to add the tenant main";
        await call("POST", CONF, { name: "tenant:main", webhook_url: url, disabled: "0" });
      }
      if (!counts) {
        what = "whether the token is stored";
        await loadStored();
        // Where Splunk does not tell, what it said to the token counts.
        if (state.stored !== null && !isStored(APP, "main")) {
          throw new Failure(200, "Splunk does not list the token of main among what is stored. Try again in a moment.");
        }
      }
      what = "to clear the file";
      await call("POST", ALERT_ACTION, { "param.webhook_url": "", "param.token": "" });
    } catch (failure) {
      // What was done of it is seen, and not done again.
      await load().catch(() => {});
      showAll();
      showOptionB(`The token is still in plain text. ${explain(failure, what)}`);
      focusOn(`${MOUNT}-optionb`);
      return;
    }
    await saved();
    notice(
      "page",
      "ok",
      `${counts ? "The token is cleared from alert_actions.conf." : "The token is stored encrypted for the tenant main, and cleared from alert_actions.conf."} As others could read it until now, consider a new one: ${WHERE}.`,
    );
    focusOn(buttonId("test", "main"));
  }

  /** Gives whether main has a stored token already: that one counts, and stays. Without a tenant main none counts. */
  async function moveToken(token, hasMain) {
    if (!hasMain) {
      await store(APP, "main", token);
      return false;
    }
    try {
      await storeNew(APP, "main", token);
      return false;
    } catch (failure) {
      if (failure.status !== 409) {
        throw failure;
      }
      return true;
    }
  }

  async function isThere(name) {
    try {
      return ownerOf(entries(await call("GET", stanzaPath(`tenant:${name}`)))[0]) === APP;
    } catch (failure) {
      if (failure.status !== 404) {
        throw failure;
      }
      return false;
    }
  }

  // ---- The page as a whole --------------------------------------------------------------------------------------------

  function announce(text) {
    document.getElementById(`${MOUNT}-spoken`).textContent = text;
  }

  function showAll() {
    showOptionB();
    showTenants();
    showDelivery();
  }

  function build() {
    const place = (name) => make("div", { id: `${MOUNT}-${name}`, tabindex: "-1" });
    state.mount.replaceChildren(
      make("div", { id: `${MOUNT}-spoken`, class: "pp-hidden", role: "status" }),
      make(
        "p",
        { class: "pp-intro" },
        "Alerts go from here to Parapet Security. What you set holds on every search head of the cluster, and takes effect within seconds. ",
        make("a", { href: "home" }, "The three steps to the first alert"),
      ),
      state.mayWrite
        ? ""
        : make(
            "p",
            { class: "pp-notice pp-warn" },
            `You can look, and change nothing: only ${WHO} change these settings. Ask one of your Splunk administrators.`,
          ),
      noticePlace("page"),
      place("optionb"),
      section("tenants", "Tenants", place("tenants")),
      section("state", "What waits", place("state"), stateButtons(), place("others")),
      section("delivery", "Delivery", place("delivery")),
    );
    showAll();
    showState();
  }

  async function start(mount) {
    state.mount = mount;
    mount.setAttribute("data-started", "");
    const silent = document.getElementById(`${MOUNT}-silent`);
    if (silent) {
      silent.remove();
    }
    watchTheme();
    await open();
  }

  async function open() {
    state.mount.replaceChildren(make("p", { class: "pp-help", role: "status" }, "Reading the settings …"));
    try {
      await load();
    } catch (failure) {
      state.mount.replaceChildren(
        make(
          "p",
          { class: "pp-notice pp-bad", role: "alert" },
          `The settings cannot be shown. ${explain(failure, "for the settings")}`,
        ),
        make("div", { class: "pp-buttons" }, button("Try again", open)),
      );
      return;
    }
    build();
    window.addEventListener("beforeunload", (event) => {
      if (unsaved()) {
        event.preventDefault();
        event.returnValue = "";
      }
    });
    setInterval(() => document.visibilityState === "visible" && refresh(), REFRESH_MS);
    await refresh();
  }

  /** Light or dark by the colour that the page really has: there is no setting that all versions of Splunk have. */
  function applyTheme() {
    let node = state.mount.parentElement;
    let color = [255, 255, 255];
    while (node) {
      const [red, green, blue, alpha = 1] = (getComputedStyle(node).backgroundColor.match(/[\d.]+/g) || []).map(Number);
      if (blue !== undefined && alpha > 0.5) {
        color = [red, green, blue];
        break;
      }
      node = node.parentElement;
    }
    const luminance = (0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2]) / 255;
    const theme = luminance < 0.5 ? "dark" : "light";
    if (state.mount.getAttribute("data-theme") !== theme) {
      state.mount.setAttribute("data-theme", theme);
    }
  }

  function watchTheme() {
    applyTheme();
    const watcher = new MutationObserver(applyTheme);
    for (const node of [document.documentElement, document.body]) {
      watcher.observe(node, { attributes: true });
    }
    // Splunk's style sheets may come later than this script.
    watcher.observe(document.head, { childList: true });
    window.addEventListener("load", applyTheme);
  }

  // Splunk runs the script before or after it has drawn the panel.
  function whenDrawn() {
    const mount = document.getElementById(MOUNT);
    if (mount && !mount.hasAttribute("data-started")) {
      start(mount);
    }
    return Boolean(mount);
  }

  if (!whenDrawn()) {
    const watcher = new MutationObserver(() => {
      if (whenDrawn()) {
        watcher.disconnect();
      }
    });
    watcher.observe(document.documentElement, { childList: true, subtree: true });
  }
})();
