"""Everything that went between a page and the world, to look for what must not be there. Must not change any of it."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from playwright.sync_api import Error

# Tells Python what the page's scripts read of an answer; what they never read may hold anything.
_WATCH = """
(() => {
  const tell = (text) => window.__whatWasRead(String(text));
  const read = Response.prototype.text;
  const bytes = (buffer) => tell(new TextDecoder().decode(buffer));
  Response.prototype.text = async function () { const text = await read.call(this); tell(text); return text; };
  Response.prototype.json = async function () { const text = await read.call(this); tell(text); return JSON.parse(text); };
  const buffer = Response.prototype.arrayBuffer;
  Response.prototype.arrayBuffer = async function () { const found = await buffer.call(this); bytes(found); return found; };
  const blob = Response.prototype.blob;
  Response.prototype.blob = async function () { const found = await blob.call(this); tell(await found.text()); return found; };
  const body = Object.getOwnPropertyDescriptor(Response.prototype, 'body');
  Object.defineProperty(Response.prototype, 'body', {
    ...body, get() { if (!this.bodyUsed) { read.call(this.clone()).then(tell); } return body.get.call(this); },
  });
  for (const name of ['response', 'responseText', 'responseXML']) {
    const own = Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, name);
    Object.defineProperty(XMLHttpRequest.prototype, name, {
      ...own, get() { const found = own.get.call(this); if (this.readyState === 4) { tell(found); } return found; },
    });
  }
})();
"""
_STORED = """
async () => ({
  localStorage: JSON.stringify({...localStorage}),
  sessionStorage: JSON.stringify({...sessionStorage}),
  indexedDB: (await indexedDB.databases()).map((each) => each.name).join(' '),
  'window.name': window.name,
  history: JSON.stringify(history.state),
})
"""
_SHOWN = """
() => document.documentElement.outerHTML
  + [...document.querySelectorAll('input, textarea, select')].map((each) => '\\n' + each.value).join('')
"""


class Traffic:
    """Watches one page from before its first request.

    Attributes:
        urls: of every request.
        statuses: (method, URL, status) of every answer, as it begins.
        answers: (method, URL, status, body) of every answer that came whole; the body is bytes.
        read_bodies: the text of every answer that a script of the page read.
        problems: errors of scripts, and requests to another host; `allow` says which are meant.
    """

    def __init__(self, page):
        """Begin to watch."""
        self._page, self._allowed = page, []
        self.urls, self.statuses, self.answers = [], [], []
        self.read_bodies, self.problems, self.console = [], [], []
        page.expose_function("__whatWasRead", self._was_read)
        page.add_init_script(_WATCH)
        page.on("request", self._requested)
        page.on("response", self._answered)
        page.on("requestfinished", self._finished)
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on("console", self._said)

    def allow(self, pattern):
        """Problems that match this are meant to be, in this test."""
        self._allowed.append(pattern)

    def unexpected(self):
        """The problems that no pattern allows."""
        return [text for text in self.problems if not any(re.search(pattern, text) for pattern in self._allowed)]

    def requests(self, method, path):
        """The statuses of the answers to requests of this method whose path holds this text."""
        return [status for sent, url, status in self.statuses if sent == method and path in urlsplit(url).path]

    def stored(self):
        """What the browser keeps for this page: {where: text}."""
        found = self._page.evaluate(_STORED)
        found["cookies"] = json.dumps(self._page.context.cookies())
        return found

    def places(self, secret):
        """Where a text can be found: in URLs, in what scripts read, in storage, on the console, on the page as it stands."""
        stored = {**self.stored(), "page": self._page.evaluate(_SHOWN)}
        lists = {"URL": self.urls, "read body": self.read_bodies, "console": self.console}
        found = [f"{name}: {each[:80]}" for name, texts in lists.items() for each in texts if secret in each]
        return found + [name for name, text in stored.items() if secret in text]

    def _was_read(self, text):
        self.read_bodies.append(text)

    def _requested(self, request):
        self.urls.append(request.url)
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob") and url.hostname != "127.0.0.1":
            self.problems.append(f"a request to {url.hostname}")

    def _answered(self, response):
        self.statuses.append((response.request.method, response.url, response.status))

    def _finished(self, request):
        response = request.response()
        try:
            body = response.body()
        except Error:  # a redirection has none, and after a navigation the browser has forgotten it
            body = b""
        self.answers.append((request.method, request.url, response.status, body))

    def _said(self, message):
        self.console.append(message.text)
        refused_by_splunkd = "Failed to load resource" in message.text and "/splunkd/__raw/" in message.location["url"]
        # The browser reports every answer of 4xx; what splunkd refuses is the page's business, and shown by the page.
        if message.type == "error" and not refused_by_splunkd:
            self.problems.append(f"console: {message.text} ({message.location['url']})")
