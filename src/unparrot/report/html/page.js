/* What every page of a run does: it opens for links and for print, keeps its folds in the address
   (address.js), tells the values of figures, and saves them. Without it the page shows all that it
   shows with it. */

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
  if (location.hash) {
    arrive();
    window.addEventListener("load", arrive); /* other scripts may have moved the place */
  }

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
  requestAnimationFrame(mark);
})();

/* The values of figures, at the pointer and by keys; and their data and drawing as files. */
(() => {
  const el = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const NEAR = 40; /* pixels of the drawing from which a pointer reaches a point */
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  const setUp = (box) => {
    const svg = box.querySelector("svg");
    let charts = null;
    let points = [];
    const read = () => {
      if (charts) return;
      charts = JSON.parse(box.querySelector("script").textContent);
      points = charts.flatMap((chart) => chart.lines.flatMap((line) => line.points
        .map(([across, down, , , , , xWords, words]) => ({ chart, line, across, down, xWords, words }))
        .filter((point) => point.across !== null)));
      points.sort((a, b) => charts.indexOf(a.chart) - charts.indexOf(b.chart) || a.across - b.across || a.down - b.down);
    };
    const tip = el("p", { class: "tip", role: "status" });
    const ring = document.createElementNS(svg.namespaceURI, "circle");
    ring.setAttribute("class", "ring");
    ring.setAttribute("r", "9");
    box.append(tip);
    let at = null;

    const show = (point) => {
      at = point;
      tip.replaceChildren();
      if (!point) { ring.remove(); return; }
      const { chart, line } = point;
      const panel = charts.length > 1 ? `${chart.panel}: ` : "";
      tip.append(el("b", {}, panel + line.name), el("span", {}, `${chart.y}: ${point.words}`), el("span", {}, `${chart.x}: ${point.xWords}`));
      ring.setAttribute("cx", point.across);
      ring.setAttribute("cy", point.down);
      svg.append(ring);
      const { width, height } = svg.viewBox.baseVal;
      const scale = svg.clientWidth / width;
      const beside = point.across > width / 2 ? -tip.offsetWidth - 14 : 14;
      const left = Math.max(0, Math.min(point.across * scale + beside, svg.clientWidth - tip.offsetWidth));
      tip.style.left = `${left}px`;
      tip.style.top = `${Math.max(0, point.down * scale - (point.down > height / 2 ? tip.offsetHeight + 12 : -12))}px`;
    };
    const nearest = (event) => {
      read();
      const frame = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / frame.width;
      const [x, y] = [(event.clientX - frame.left) * scale, (event.clientY - frame.top) * scale];
      let best = null;
      let least = NEAR ** 2;
      for (const point of points) {
        const far = (point.across - x) ** 2 + (point.down - y) ** 2;
        if (far < least) { best = point; least = far; }
      }
      return best;
    };
    /* Left and right go along a line, or over all points if it has few; up and down to other lines. */
    const step = ([across, down]) => {
      const way = across || down;
      const along = across ? "across" : "down";
      const own = points.filter((point) => point.chart === at.chart && (point[along] - at[along]) * way > 0);
      const few = at.line.points.length < 3;
      const fit = own.filter((point) => few || (across ? point.line === at.line : Math.abs(point.across - at.across) < 3));
      fit.sort((a, b) => (a[along] - b[along]) * way || Math.abs(a.across - at.across) - Math.abs(b.across - at.across));
      if (fit.length) return fit[0];
      const next = charts[charts.indexOf(at.chart) + way];
      return (across && points.find((point) => point.chart === next)) || at;
    };
    box.addEventListener("pointermove", (event) => { if (!event.target.closest(".menu")) show(nearest(event)); });
    box.addEventListener("pointerdown", (event) => { if (!event.target.closest(".menu")) show(nearest(event)); });
    box.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") show(null); });
    box.addEventListener("focusout", () => show(null));
    box.addEventListener("keydown", (event) => {
      if (event.target !== box || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "Escape") { show(null); return; }
      const way = KEYS[event.key];
      read();
      if (!way || !points.length) return;
      event.preventDefault();
      show(at ? step(way) : points[0]);
    });
    box.tabIndex = 0;
    box.setAttribute("role", "application");
    box.setAttribute("aria-label", "Figure; arrow keys tell its values");
    box.append(menu(svg, () => { read(); return charts; }));
  };

  const save = (name, blob) => {
    const link = el("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const table = (charts) => {
    const cell = (value) => (/[",\n]/.test(value ?? "") ? `"${String(value).replaceAll('"', '""')}"` : value ?? "");
    const rows = charts.flatMap((chart) => chart.lines.flatMap((line) => line.points
      .map(([, , x, y, low, high, , words]) => [chart.panel, line.name, chart.x, x, chart.y, y, low, high, words])));
    const head = ["panel", "line", "x is", "x", "y is", "y", "low", "high", "y in words"];
    return [head, ...rows].map((row) => `${row.map(cell).join(",")}\n`).join("");
  };
  /* The drawing by itself, in the colours that the page shows now. */
  const alone = (svg) => {
    const colours = getComputedStyle(document.documentElement);
    const copy = svg.cloneNode(true);
    const { width, height } = svg.viewBox.baseVal;
    for (const [key, value] of Object.entries({ xmlns: svg.namespaceURI, width, height })) copy.setAttribute(key, value);
    copy.querySelector(".ring")?.remove();
    const ground = document.createElementNS(svg.namespaceURI, "rect");
    for (const [key, value] of Object.entries({ width: "100%", height: "100%", fill: "var(--paper)" })) ground.setAttribute(key, value);
    copy.prepend(ground);
    const text = new XMLSerializer().serializeToString(copy);
    return text.replace(/var\((--[a-z0-9]+)\)/g, (_, name) => colours.getPropertyValue(name).trim());
  };
  const pixels = async (svg) => {
    const { width, height } = svg.viewBox.baseVal;
    const picture = new Image(2 * width, 2 * height);
    picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(alone(svg))}`;
    await picture.decode();
    const canvas = el("canvas", { width: 2 * width, height: 2 * height });
    canvas.getContext("2d").drawImage(picture, 0, 0, 2 * width, 2 * height);
    return new Promise((done) => { canvas.toBlob(done, "image/png"); });
  };
  const menu = (svg, charts) => {
    const name = svg.dataset.figure;
    const kinds = {
      CSV: () => new Blob([table(charts())], { type: "text/csv" }),
      SVG: () => new Blob([alone(svg)], { type: "image/svg+xml" }),
      PNG: () => pixels(svg),
    };
    const made = el("details", { class: "menu" }, el("summary", { "aria-label": `Save figure ${name}` }, "Save"));
    for (const [kind, file] of Object.entries(kinds)) {
      const button = el("button", { type: "button" }, kind);
      button.addEventListener("click", async () => { save(`${name}.${kind.toLowerCase()}`, await file()); made.open = false; });
      made.append(button);
    }
    made.addEventListener("focusout", (event) => { if (!made.contains(event.relatedTarget)) made.open = false; });
    made.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { made.open = false; made.firstChild.focus(); }
    });
    return made;
  };

  for (const box of document.querySelectorAll(".drawn")) setUp(box);
})();
