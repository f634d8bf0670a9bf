"use strict";
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
