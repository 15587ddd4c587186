/* Splunk Web's alert dialog: the custom elements of an alert action's form, how their values come from the alert and go
   back to it, and what is sent on Save. Written after Splunk's modules views/shared/htmldialog, util/form_databind and
   webcomponents/forminputs: the value of a custom element is its attribute `value`; the form is filled with what the
   alert has or inherits, and read again at each change. On Save everything that the alert has or inherits is sent
   (that is why savedsearches.conf of many a search has lines such as action.nslookup.param.verbose = 0). */
(function () {
  'use strict';

  const page = JSON.parse(document.currentScript.dataset.page);
  const prefix = 'action.' + page.action + '.param.';
  const inputs = 'splunk-select, splunk-text-input, splunk-search-dropdown';
  const dialog = document.getElementById('alert-dialog');

  function element(tag, attributes, text) {
    const made = document.createElement(tag);
    Object.entries(attributes || {}).forEach(([name, value]) => made.setAttribute(name, value));
    made.textContent = text || '';
    return made;
  }

  async function ask(path, form) {
    const cookie = document.cookie.split('; ').find((one) => one.startsWith(page.formKey + '=')) || '';
    const answer = await fetch(page.raw + path + (path.includes('?') ? '&' : '?') + 'output_mode=json', form && {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { 'X-Splunk-Form-Key': cookie.split('=')[1] || '', 'X-Requested-With': 'XMLHttpRequest' }
    });
    const document_ = await answer.json();
    if (!answer.ok) {
      throw new Error(document_.messages.map((one) => one.text).join(' '));
    }
    return document_;
  }

  /* -- the custom elements ------------------------------------------------------------------------------------------ */

  class Input extends HTMLElement {
    static get observedAttributes() { return ['value']; }

    connectedCallback() {
      if (!this.control) {
        this.create();
        this.control.id = this.getAttribute('name').replace(/\W/g, '_');
        this.closest('splunk-control-group').describe(this.control);
        this.show();
      }
    }

    attributeChangedCallback() {
      if (this.control) { this.show(); }
    }

    show() { this.control.value = this.getAttribute('value') || ''; }

    set(value) { this.setAttribute('value', value); }
  }

  class TextInput extends Input {
    create() {
      this.control = this.appendChild(element('input', { type: this.getAttribute('type') || 'text' }));
      this.control.addEventListener('input', () => this.set(this.control.value));
    }

    show() {
      const value = this.getAttribute('value') || '';
      if (this.control.value !== value) { this.control.value = value; }
    }
  }

  class Select extends Input {
    create() {
      const options = Array.from(this.querySelectorAll('option'));
      this.textContent = '';
      this.control = this.appendChild(element('select'));
      this.control.append(...options);
      this.control.addEventListener('change', () => this.set(this.control.value));
    }
  }

  class SearchDropdown extends Input {
    create() {
      const listId = this.getAttribute('name').replace(/\W/g, '_') + '_list';
      this.rows = [];
      this.custom = ['', 'true', '1', 'yes'].includes(this.getAttribute('allow-custom-value'));
      this.control = this.appendChild(element('input', {
        type: 'text', role: 'combobox', autocomplete: 'off',
        'aria-expanded': 'false', 'aria-controls': listId, 'aria-autocomplete': 'list'
      }));
      this.list = this.appendChild(element('ul', { role: 'listbox', id: listId, 'aria-label': 'Choices', hidden: '' }));
      this.control.addEventListener('focus', () => this.open(''));
      this.control.addEventListener('input', () => this.open(this.control.value));
      this.control.addEventListener('blur', () => this.close());
      this.load();
    }

    show() {
      const value = this.getAttribute('value') || '';
      const row = this.rows.find((one) => one.value === value);
      this.control.value = row ? row.label : (this.custom ? value : '');
    }

    async load() {
      const search = (this.getAttribute('search') || '').trim();
      const label = this.getAttribute('label-field');
      const field = this.getAttribute('value-field');
      /* runWhenTimeIsUndefined is false: without a time range nothing is searched. */
      if (!search || !label || !field || !this.hasAttribute('earliest') || !this.hasAttribute('latest')) {
        console.warn('<splunk-search-dropdown> lacks an attribute');
        return;
      }
      const app = this.getAttribute('app') || page.app;
      const most = this.getAttribute('max-results') || '1000';
      try {
        const found = await ask(`/servicesNS/${encodeURIComponent(page.user)}/${encodeURIComponent(app)}/search/jobs`, {
          search: search + ' | head ' + most,
          exec_mode: 'oneshot',
          count: '0',
          earliest_time: this.getAttribute('earliest'),
          latest_time: this.getAttribute('latest')
        });
        this.rows = found.results.map((row) => ({ value: row[field] || '', label: row[label] || '' }));
      } catch (error) {
        this.append(element('span', { class: 'splunk-dropdown-message' }, 'Could not create search.'));
      }
      if (document.activeElement === this.control) {
        this.open('');
      } else {
        this.show();
      }
      this.dataset.loaded = 'true';
    }

    open(typed) {
      const rows = this.rows.filter((row) => row.label.includes(typed));
      this.list.replaceChildren(...rows.map((row) => {
        const option = element('li', { role: 'option', 'aria-selected': String(row.value === this.getAttribute('value')) }, row.label);
        option.addEventListener('mousedown', (event) => {
          event.preventDefault();
          this.control.value = row.label;
          this.control.blur();
        });
        return option;
      }));
      this.list.hidden = !rows.length;
      this.control.setAttribute('aria-expanded', String(!!rows.length));
    }

    close() {
      const typed = this.control.value;
      const row = this.rows.find((one) => one.label === typed);
      this.list.hidden = true;
      this.control.setAttribute('aria-expanded', 'false');
      if (row || this.custom || !typed) {
        this.set(row ? row.value : typed);
      } else {
        this.show();
      }
    }
  }

  class ControlGroup extends HTMLElement {
    connectedCallback() {
      if (this.done) { return; }
      this.done = true;
      const inner = Array.from(this.childNodes);
      const controls = element('div', { class: 'controls' });
      this.classList.add('control-group');
      this.append(element('label', { class: 'control-label' }, this.getAttribute('label')), controls);
      controls.append(...inner, element('span', { class: 'help-block' }, this.getAttribute('help')));
    }

    /* How Splunk ties its label and help to a control is not known; an app could not change it. */
    describe(control) {
      const help = this.querySelector('.help-block');
      help.id = control.id + '_help';
      this.querySelector('label').htmlFor = control.id;
      control.setAttribute('aria-describedby', help.id);
    }
  }

  /* -- the alert ---------------------------------------------------------------------------------------------------- */

  let content = {};
  let isOn = false;

  function form() { return dialog.querySelector('form'); }

  function fill() {
    form().querySelectorAll(inputs).forEach((input) => {
      const value = content[input.getAttribute('name')];
      if (value !== undefined) { input.setAttribute('value', value); }
    });
  }

  function read() {
    if (!form()) { return; }
    form().querySelectorAll(inputs).forEach((input) => {
      const value = input.getAttribute('value');
      if (value !== null) { content[input.getAttribute('name')] = value; }
    });
  }

  function settings() {
    const sent = {};
    Object.entries(content).forEach(([name, value]) => {
      if (name.startsWith('action.') && value !== null) { sent[name] = String(value); }
    });
    sent['action.' + page.action] = isOn ? '1' : '0';
    sent.actions = isOn ? page.action : '';
    return sent;
  }

  async function save() {
    const status = document.getElementById('alert-status');
    read();
    status.textContent = '';
    try {
      if (page.saved) {
        await ask(page.saved, settings());
      } else {
        await ask(`/servicesNS/${encodeURIComponent(page.user)}/${encodeURIComponent(page.app)}/saved/searches`, Object.assign(settings(), {
          name: document.getElementById('alert-title').value,
          search: document.getElementById('alert-search').value,
          is_scheduled: '1',
          cron_schedule: '0 * * * *'
        }));
      }
      status.className = 'alert alert-info';
      status.textContent = 'Your alert has been saved.';
    } catch (error) {
      status.className = 'alert alert-error';
      status.textContent = error.message;
    }
  }

  function drawAction() {
    const box = document.getElementById('alert-action');
    const button = element('button', { type: 'button', class: 'btn' }, isOn ? 'Remove' : '+ Add Actions');
    box.replaceChildren(element('h3', {}, isOn ? 'Parapet Security' : 'When triggered'), button);
    button.addEventListener('click', () => { read(); isOn = !isOn; drawAction(); });
    if (isOn) {
      const holder = element('div', { class: 'alert-action-form' });
      holder.innerHTML = page.form;
      box.append(holder);
      fill();
      ['change', 'focusout', 'keyup'].forEach((name) => holder.addEventListener(name, read));
      holder.addEventListener('submit', (event) => event.preventDefault());
      read();
    }
  }

  function draw() {
    if (!page.saved) {
      [['alert-title', 'Title'], ['alert-search', 'Search']].forEach(([id, text]) => {
        dialog.append(element('label', { for: id }, text), element('input', { id: id, type: 'text' }));
      });
    }
    dialog.append(element('h2', {}, 'Trigger Actions'), element('div', { id: 'alert-action' }));
    const button = dialog.appendChild(element('button', { type: 'button', class: 'btn btn-primary' }, 'Save'));
    button.addEventListener('click', save);
    dialog.append(element('p', { id: 'alert-status', role: 'status' }));
    if (page.form) { drawAction(); }
    dialog.dataset.ready = 'true';
  }

  async function begin() {
    const action = await ask(`/servicesNS/${encodeURIComponent(page.user)}/${encodeURIComponent(page.app)}/alerts/alert_actions/${page.action}`);
    Object.entries(action.entry[0].content).forEach(([name, value]) => {
      if (name.startsWith('param.')) { content['action.' + page.action + '.' + name] = value; }
    });
    if (page.saved) {
      const saved = await ask(page.saved);
      Object.assign(content, saved.entry[0].content);
      isOn = ['1', 'true', true, 1].includes(content['action.' + page.action]);
    }
    draw();
  }

  customElements.define('splunk-text-input', TextInput);
  customElements.define('splunk-select', Select);
  customElements.define('splunk-search-dropdown', SearchDropdown);
  customElements.define('splunk-control-group', ControlGroup);
  begin().catch((error) => { dialog.append(element('p', { role: 'alert' }, error.message)); });
})();
