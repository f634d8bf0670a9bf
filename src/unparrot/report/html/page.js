"use strict";
/* What every page of a run does: it keeps its state in the address, opens for links and for print,
   tells the values of figures, and saves them. Without it the page shows all that it shows with it. */
const page = {};

/* The address after "#": where the reader is (a name alone), then NAME=VALUE, joined by "&".
   get(name) reads a value; set({name: value}) changes some and keeps the others, without a step in
   the history; link({name: value}) is the fragment that set would leave. An empty value is taken
   out. The name "" is the place. */
page.address = (() => {
  const parse = (hash) => new Map(hash.slice(1).split("&").filter(Boolean).map((item) => {
    const cut = item.indexOf("=");
    const value = item.slice(cut + 1);
    try { return [item.slice(0, Math.max(cut, 0)), decodeURIComponent(value)]; } catch { return [item.slice(0, Math.max(cut, 0)), value]; }
  }));
  const link = (changes) => {
    const all = new Map([...Object.entries(changes), ...[...parse(location.hash)].filter(([name]) => !(name in changes))]);
    const order = [...all].filter(([, value]) => value).sort(([a], [b]) => (a === "open") - (b === "open") || (b === "") - (a === ""));
    return `#${order.map(([name, value]) => (name ? `${name}=${encodeURIComponent(value)}` : value)).join("&")}`;
  };
  return {
    parse, link,
    get: (name) => parse(location.hash).get(name),
    set: (changes) => history.replaceState(null, "", location.href.split("#")[0] + link(changes).replace(/^#$/, "")),
  };
})();

/* Folds: those that a reader opened are in the address, by section and number. */
(() => {
  const folds = new Map();
  const counts = {};
  for (const fold of document.querySelectorAll("section details:not([open])")) {
    const anchor = fold.closest("section").getAttribute("aria-labelledby");
    counts[anchor] = (counts[anchor] ?? -1) + 1;
    folds.set(fold, `${anchor}.${counts[anchor]}`);
  }
  let printing = false;
  const remembered = () => new Set((page.address.get("open") || "").split("~"));
  const reopen = () => {
    const open = remembered();
    for (const [fold, key] of folds) if (open.has(key)) fold.open = true;
  };
  document.addEventListener("toggle", (event) => {
    if (printing || !folds.has(event.target)) return;
    const open = [...folds].filter(([fold]) => fold.open).map(([, key]) => key);
    page.address.set({ open: open.join("~") });
  }, true);

  /* Go to the place of the address; what it is folded in opens. */
  const arrive = () => {
    reopen();
    const target = document.getElementById(page.address.get("") || "");
    if (!target) return;
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView({ block: "start" });
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const wanted = page.address.parse(link.getAttribute("href"));
    const to = page.address.link({ "": wanted.get(""), t: wanted.get("t") });
    if (to === location.hash) window.dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = to;
  });
  window.addEventListener("hashchange", arrive);
  if (location.hash) arrive();

  const closed = [];
  window.addEventListener("beforeprint", () => {
    printing = true;
    for (const fold of document.querySelectorAll("details:not([open], .menu)")) { fold.open = true; closed.push(fold); }
  });
  window.addEventListener("afterprint", () => {
    for (const fold of closed.splice(0)) fold.open = false;
    setTimeout(() => { printing = false; }, 200);
  });
})();

/* The bar of contents marks the part that is being read. */
(() => {
  const links = [...document.querySelectorAll("nav.contents a")];
  if (!links.length) return;
  const marks = links.map((link) => [link, document.querySelector(link.hash).parentElement]);
  const mark = () => {
    const at = marks.filter(([, part]) => part.getBoundingClientRect().top < innerHeight / 3).pop();
    for (const link of links) link.toggleAttribute("aria-current", false);
    if (at) at[0].setAttribute("aria-current", "true");
  };
  let waiting = 0;
  addEventListener("scroll", () => { waiting = waiting || requestAnimationFrame(() => { waiting = 0; mark(); }); }, { passive: true });
  mark();
})();
