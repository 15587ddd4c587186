/* What Splunk Web does with a view in the browser: an AMD loader, the view's scripts, and its panels, each in its time.
   None of Splunk's own modules is here: a script that asks for one gets what a module that is not found gets. */
(function () {
  'use strict';

  const me = document.currentScript;
  const scripts = JSON.parse(me.dataset.scripts);

  function missing(names) {
    if (names.length) {
      throw new Error('Script error for "' + names.join('", "') + '"');
    }
  }

  window.define = function () {
    const given = Array.from(arguments);
    const names = given.find(Array.isArray) || [];
    const factory = given[given.length - 1];
    missing(names);
    if (typeof factory === 'function') {
      factory();
    }
  };
  window.define.amd = { jQuery: true };
  window.require = window.requirejs = function (names, done) {
    setTimeout(function () {
      missing(typeof names === 'string' ? [names] : names);
      if (done) {
        done();
      }
    }, 0);
  };

  function renderPanels() {
    const panels = document.getElementById('splunk-panels').content.cloneNode(true);
    /* simplexml/element/html: a link that starts with a slash is meant below root path and locale. */
    panels.querySelectorAll('a[href^="/"]:not([href^="//"]), img[src^="/"]:not([src^="//"])').forEach(function (each) {
      const name = each.tagName === 'A' ? 'href' : 'src';
      each.setAttribute(name, window.$C.MRSPARKLE_ROOT_PATH + '/' + window.$C.LOCALE + each.getAttribute(name));
    });
    document.getElementById('dashboard').appendChild(panels);
  }

  /* As requirejs does: an element that is inserted later, so that the document does not wait for it. */
  function load(url) {
    return new Promise(function (resolve) {
      const script = document.createElement('script');
      script.async = true;
      script.src = url;
      script.onload = script.onerror = resolve;
      document.head.appendChild(script);
    });
  }

  function later(work) {
    return new Promise(function (resolve) {
      setTimeout(function () { work(); resolve(); }, 50);
    });
  }

  const loadAll = function () { return Promise.all(scripts.map(load)); };
  if (me.dataset.panels === 'after') {
    loadAll().then(function () { return later(renderPanels); });
  } else {
    later(renderPanels).then(loadAll);
  }
})();
