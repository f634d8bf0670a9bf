// What the app's pages do beyond showing: each screen that does something has a function here.
"use strict";

const POLL = 2000; // milliseconds between two looks at runs that go on

const screens = {runs};

function runs() {
  const items = () => [...document.querySelectorAll("[data-run]")];
  async function look() {
    if (document.visibilityState === "visible") {
      const answer = await fetch("/runs.json").catch(() => null);
      if (answer && answer.ok) show(await answer.json());
    }
    setTimeout(look, POLL);
  }
  function show(rows) {
    const known = new Map(rows.map(row => [row.id, row]));
    const list = items();
    const home = location.pathname === "/";
    if (home && (list.length !== rows.length || list.some(item => !known.has(item.dataset.run)))) {
      location.reload();
      return;
    }
    for (const item of list) {
      const row = known.get(item.dataset.run);
      if (!row) continue;
      item.dataset.state = row.state;
      for (const cell of item.querySelectorAll("[data-cell]")) {
        const words = row[cell.dataset.cell];
        if (cell.textContent !== words) cell.textContent = words;
      }
    }
  }
  setTimeout(look, POLL);
}

screens[document.body.dataset.screen]?.();
