'use strict';
(() => {
  const root = document.documentElement;

  // A page that is opened from a file may have no storage.
  const store = (name) => {
    const area = () => window[name];
    return {
      get(key) { try { return area().getItem('tapedeck.' + key); } catch { return null; } },
      set(key, value) { try { area().setItem('tapedeck.' + key, value); } catch { /* not remembered */ } },
      drop(key) { try { area().removeItem('tapedeck.' + key); } catch { /* nothing to drop */ } },
    };
  };
  const kept = store('localStorage');
  const session = store('sessionStorage');

  // Before anything is drawn, so that the page does not change under the reader's eyes.
  const theme = kept.get('theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  if (kept.get('view') === 'side') root.dataset.view = 'side';
  const off = new Set((session.get('off') ?? 'volatile').split(' ').filter(Boolean));
  root.dataset.off = [...off].join(' ');
  root.classList.add('js');

  document.addEventListener('DOMContentLoaded', () => {
    const $ = (id) => document.getElementById(id);
    const all = (selector, within = document) => [...within.querySelectorAll(selector)];
    const cards = all('.card');
    const items = all('.group');
    const words = new WeakMap();
    const textOf = (element) => {
      let text = words.get(element);
      if (text === undefined) words.set(element, text = element.textContent.toLowerCase());
      return text;
    };

    // Grades and text decide what is shown.
    const chips = all('.chip');
    const show = () => {
      root.dataset.off = [...off].join(' ');
      session.set('off', [...off].join(' '));
      for (const chip of chips) chip.setAttribute('aria-pressed', String(!off.has(chip.dataset.grade)));
      const wanted = $('filter').value.trim().toLowerCase();
      session.set('filter', wanted);
      const fits = (element, name = '') => {
        const grades = element.dataset.g.split(' ').filter(Boolean);
        if (grades.length > 0 && grades.every((grade) => off.has(grade))) return false;
        return wanted === '' || name.includes(wanted) || textOf(element).includes(wanted);
      };
      let shown = 0;
      for (const file of all('.file')) {
        const name = textOf(file.querySelector('h2'));
        const list = all('.card', file);
        let some = false;
        for (const card of list) {
          card.hidden = !fits(card, name);
          if (!card.hidden) { shown++; some = true; }
        }
        file.hidden = !some && (list.length > 0 || !fits(file, name));
      }
      for (const item of items) item.hidden = !fits(item);
      for (const chapter of all('.chapter')) chapter.hidden = !all('.group', chapter).some((item) => !item.hidden);
      for (const entry of all('.files li')) entry.hidden = !fits(entry) && $(entry.querySelector('a').hash.slice(1))?.hidden !== false;
      for (const list of all('.files')) list.hidden = !all('li', list).some((entry) => !entry.hidden);
      if ($('none')) $('none').hidden = !all('.files, .chapter, .file').every((one) => one.hidden);
      $('shown').textContent = shown === cards.length ? '' : `${shown} of ${cards.length} ${cards.length === 1 ? 'interaction' : 'interactions'}`;
      if (root.dataset.view === 'side') pair();
    };
    let later = 0;
    $('filter').addEventListener('input', () => { clearTimeout(later); later = setTimeout(show, 120); });
    const toggle = (grade) => {
      if (!off.delete(grade)) off.add(grade);
      if (grade === 'volatile') for (const fold of all('.fold.some')) fold.open = !off.has('volatile');
      show();
    };
    for (const chip of chips) chip.addEventListener('click', () => toggle(chip.dataset.grade));

    // Side by side: what both sides have stands once in the page, so the left column is
    // made when it is first seen.
    const seen = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        seen.unobserve(target);
        for (const lines of all('.q:not([data-twin])', target)) lines.dataset.twin = lines.textContent;
      }
    }, { rootMargin: '800px' });
    const pair = () => { for (const card of cards) seen.observe(card); };
    const side = (on) => {
      if (on) { root.dataset.view = 'side'; pair(); } else delete root.dataset.view;
      $('side').setAttribute('aria-pressed', String(on));
      kept.set('view', on ? 'side' : 'inline');
    };
    $('side').addEventListener('click', () => side(root.dataset.view !== 'side'));

    const isDark = () => root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    const paint = () => $('theme').setAttribute('aria-pressed', String(isDark()));
    const swap = () => {
      root.dataset.theme = isDark() ? 'light' : 'dark';
      kept.set('theme', root.dataset.theme);
      paint();
    };
    $('theme').addEventListener('click', swap);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paint);

    const expand = (open) => {
      for (const card of cards) card.open = open;
      $('all').setAttribute('aria-pressed', String(open));
      $('all').textContent = open ? 'Fold all' : 'Expand all';
    };
    const anyFolded = () => cards.some((card) => !card.hidden && !card.open);
    $('all').addEventListener('click', () => expand(anyFolded()));

    // A link opens all that its target stands in, and shows its grade.
    const reveal = (element) => {
      for (let at = element.parentElement; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true;
      if (element.tagName === 'DETAILS') element.open = true;
      const grade = [...element.classList].find((name) => off.has(name));
      if (grade) toggle(grade);
      for (let at = element; at; at = at.parentElement) {
        if (!at.hidden) continue;
        $('filter').value = '';
        show();
        if (!at.hidden) continue;
        off.clear();
        show();
      }
    };
    const arrive = () => {
      const element = location.hash.length > 1 && $(location.hash.slice(1));
      if (!element) return;
      reveal(element);
      go(element);
    };
    addEventListener('hashchange', arrive);

    // Keys.
    const go = (element) => {
      const target = element.classList.contains('card') ? element.querySelector('summary') : element;
      target.focus({ preventScroll: true });
      for (const old of all('.here')) old.classList.remove('here');
      element.classList.add('here');
      element.scrollIntoView({ block: element.offsetHeight > innerHeight / 2 ? 'start' : 'center' });
    };
    const visible = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;
    let at = null;
    // Asking whether something is visible lays it out: ask as few as possible.
    const step = (selector, forward) => {
      const list = document.querySelectorAll(selector);
      const here = at?.isConnected && visible(at) ? at
        : scrollY > 0 ? document.elementFromPoint(innerWidth / 2, innerHeight / 3) : null;
      let low = 0;
      for (let high = here ? list.length : 0; low < high;) { // the first that follows
        const mid = (low + high) >> 1;
        if (here.compareDocumentPosition(list[mid]) & Node.DOCUMENT_POSITION_FOLLOWING) high = mid; else low = mid + 1;
      }
      let i = forward ? low : here ? low - 1 : list.length - 1;
      const skip = (element) => element === here || !forward && here && element.contains(here) || !visible(element);
      while (list[i] && skip(list[i])) i += forward ? 1 : -1;
      if (!list[i]) return;
      at = list[i];
      go(at);
    };
    document.addEventListener('focusin', (event) => {
      at = event.target.closest?.('.r[id], .card, .group') ?? at;
    });
    const fold = () => {
      const element = at?.closest('details') ?? at?.querySelector('details');
      if (!element) return;
      element.open = !element.open;
      if (!element.open) { at = element; go(element); }
    };
    const help = $('help');
    const ask = () => { if (help.open) help.close(); else help.showModal(); };
    $('keys').addEventListener('click', ask);
    const find = () => { $('filter').focus(); $('filter').select(); };
    const grades = chips.map((chip) => chip.dataset.grade);
    const keys = {
      j: () => step('.r[id], .group', true),
      k: () => step('.r[id], .group', false),
      n: () => step('.card, .file > .name', true),
      p: () => step('.card, .file > .name', false),
      o: fold,
      e: () => expand(anyFolded()),
      f: find,
      '/': find,
      v: () => toggle('volatile'),
      s: () => side(root.dataset.view !== 'side'),
      t: swap,
      '?': ask,
    };
    grades.forEach((grade, i) => { keys[i + 1] = () => toggle(grade); });
    document.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      if (event.target === $('filter')) {
        if (event.key !== 'Escape') return;
        $('filter').value = '';
        $('filter').blur();
        show();
        return;
      }
      if (help.open && event.key !== '?') return;
      if (event.key === 'Enter' && !event.target.closest('a, button, summary, input')) { fold(); return; }
      const act = Object.hasOwn(keys, event.key) && keys[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });

    // Paper has no folds.
    let before = [];
    addEventListener('beforeprint', () => { before = cards.map((card) => card.open); for (const card of cards) card.open = true; });
    addEventListener('afterprint', () => { cards.forEach((card, i) => { card.open = before[i] ?? card.open; }); });

    // A served page follows its files.
    if (document.body.dataset.live) {
      const live = (text) => {
        $('live').textContent = text;
        $('live').classList.toggle('lost', text !== 'live');
      };
      const source = new EventSource(document.body.dataset.live);
      source.addEventListener('open', () => live('live'));
      source.addEventListener('error', () => live('not connected'));
      source.addEventListener('version', (event) => {
        if (event.data === document.body.dataset.version) return;
        source.close();
        const card = cards.find((one) => one.getBoundingClientRect().bottom > 0);
        session.set('place', scrollY > 0 && card ? card.id + ' ' + card.getBoundingClientRect().top : '');
        session.set('closed', cards.filter((one) => !one.open).map((one) => one.id).join(' '));
        location.reload();
      });
      const closed = session.get('closed');
      if (closed !== null) {
        const ids = new Set(closed.split(' '));
        for (const card of cards) if (ids.has(card.id)) card.open = false;
        session.drop('closed');
      }
    }

    $('bar').hidden = false;
    $('filter').value = session.get('filter') ?? '';
    side(root.dataset.view === 'side');
    paint();
    show();
    const place = session.get('place');
    session.drop('place');
    if (place) {
      const [id, top] = place.split(' ');
      const card = $(id);
      if (card) { card.scrollIntoView(); scrollBy(0, -Number(top)); }
    } else {
      arrive();
    }
  });
})();
