"use strict";
/* The transcript browser of a page. What models wrote enters the page as text only: through
   append(), textContent and the values of attributes that hold no code; never as HTML. */
(() => {
  const root = document.getElementById("browser");
  const source = document.getElementById("packed-transcripts");
  if (!root || !source) return;
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const PAGE = 100;
  const SIGNS = new Map([[1, ["✓", "earned"]], [0, ["✗", "missed"]], [-1, ["?", "not scored"]]]);
  const NONE = ["·", "no mark"];
  const VERDICTS = { full: "full marks", part: "not full marks", open: "left open" };
  let data = null;
  let places = new Map();
  let found = [];
  let shown = 0;
  let current = -1;
  let terms = [];

  const el = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  };
  const say = (words) => { part("found").textContent = words; };
  const count = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

  /* Text with the searched words marked. */
  const words = (text) => {
    const box = document.createDocumentFragment();
    if (!terms.length) { box.append(text); return box; }
    const low = lower(text);
    let from = 0;
    while (from < text.length) {
      let at = -1;
      let long = 0;
      for (const term of terms) {
        const place = low.indexOf(term, from);
        if (place >= 0 && (at < 0 || place < at)) { at = place; long = term.length; }
      }
      if (at < 0) break;
      box.append(text.slice(from, at), el("mark", null, text.slice(at, at + long)));
      from = at + long;
    }
    box.append(text.slice(from));
    return box;
  };
  /* Lower case, letter by letter where the whole would change its length. */
  const lower = (text) => {
    const low = text.toLowerCase();
    if (low.length === text.length) return low;
    return Array.from({ length: text.length }, (_, i) => {
      const letter = text[i].toLowerCase();
      return letter.length === 1 ? letter : text[i];
    }).join("");
  };

  const unpack = async () => {
    const letters = source.textContent.trim();
    const raw = atob(letters);
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    data = await new Response(stream).json();
    source.remove();
    data.short = { models: shorten(data.models), graders: shorten(data.graders) };
    data.texts.forEach((text, i) => {
      places.set(text.id, i);
      const given = text.marks.map((mark) => (mark ? mark[0] : -1));
      text.verdict = given.includes(0) ? "part" : given.includes(-1) ? "open" : "full";
    });
  };

  const haystack = (text) => {
    if (text.all === undefined) {
      const replies = [...text.turns.map((t) => t[3]), ...text.gradings.flatMap((g) => g[3].map((c) => c[2]))];
      const asked = [text.id, data.words[text.topic], ...text.skills.map((s) => data.words[s])];
      const reasons = text.marks.map((mark) => (mark ? data.words[mark[1]] : ""));
      text.all = lower([...asked, text.text, ...reasons, ...replies].join("\n"));
    }
    return text.all;
  };

  /* Names without their provider, where that leaves them apart. */
  const shorten = (names) => {
    const last = names.map((name) => name.slice(name.lastIndexOf("/") + 1) || name);
    return names.map((name, i) => (last.filter((other) => other === last[i]).length > 1 ? name : last[i]));
  };

  const fill = (name, options) => {
    for (const [value, label] of options) part(name).append(el("option", { value }, label));
  };

  const setUp = () => {
    const ks = [...new Set(data.texts.map((text) => text.k))].sort((a, b) => a - b);
    const skills = new Map();
    for (const text of data.texts) {
      for (const skill of text.skills) skills.set(skill, (skills.get(skill) || 0) + 1);
    }
    const named = [...skills].map(([skill, n]) => [String(skill), data.words[skill], n]);
    named.sort((a, b) => a[1].localeCompare(b[1], "en"));
    fill("model", data.models.map((model, i) => [String(i), model]));
    fill("k", ks.map((k) => [String(k), `k = ${k}`]));
    fill("verdict", Object.entries(VERDICTS));
    fill("skill", named.map(([value, label, n]) => [value, `${label} (${n})`]));
    let waiting = 0;
    const later = () => { clearTimeout(waiting); waiting = setTimeout(filter, 180); };
    for (const name of ["model", "k", "verdict", "skill"]) part(name).addEventListener("change", filter);
    part("search").addEventListener("input", later);
    part("tools").addEventListener("submit", (event) => { event.preventDefault(); filter(); });
    part("tools").addEventListener("reset", () => setTimeout(filter));
    part("more").addEventListener("click", more);
    root.addEventListener("keydown", keys);
    root.classList.remove("waiting");
  };

  const filter = () => {
    const wanted = Object.fromEntries(
      ["model", "k", "verdict", "skill"].map((name) => [name, part(name).value]),
    );
    terms = lower(part("search").value).split(/\s+/).filter(Boolean);
    found = [];
    data.texts.forEach((text, i) => {
      if (wanted.model && String(text.model) !== wanted.model) return;
      if (wanted.k && String(text.k) !== wanted.k) return;
      if (wanted.verdict && text.verdict !== wanted.verdict) return;
      if (wanted.skill && !text.skills.includes(Number(wanted.skill))) return;
      if (terms.length && !terms.every((term) => haystack(text).includes(term))) return;
      found.push(i);
    });
    const all = data.texts.length;
    say(found.length === all ? count(all, "text") : `${found.length.toLocaleString("en")} of ${count(all, "text")}`);
    part("list").replaceChildren();
    shown = 0;
    more();
    if (current >= 0 && found.includes(current)) show(current);
    else if (found.length) show(found[0]);
    else part("text").replaceChildren(el("p", { class: "none" }, "No text fits. Clear a filter, or search for less."));
  };

  const more = () => {
    const list = part("list");
    const next = found.slice(shown, shown + PAGE);
    for (const i of next) {
      const text = data.texts[i];
      const link = el(
        "a", { href: `#t=${encodeURIComponent(text.id)}`, "data-at": i },
        el("span", { class: `dot ${text.verdict}`, title: VERDICTS[text.verdict] }),
        el("span", { class: "what" },
          el("b", null, el("bdi", null, data.words[text.topic])),
          el("small", null, `k = ${text.k} · ${data.short.models[text.model]} · round ${text.round}`),
          el("small", { class: "start", dir: "auto" }, text.text.slice(0, 90) || "(no text)")),
        el("span", { class: "hidden" }, `, ${VERDICTS[text.verdict]}`),
      );
      if (i === current) link.setAttribute("aria-current", "true");
      list.append(el("li", null, link));
    }
    shown += next.length;
    part("more").hidden = shown >= found.length;
    part("more").textContent = `Show ${count(Math.min(PAGE, found.length - shown), "more text")}`;
  };

  const sign = (mark) => {
    const [letter, meaning] = mark ? SIGNS.get(mark[0]) : NONE;
    return [letter, meaning, mark ? data.words[mark[1]] : ""];
  };
  const state = (mark) => (mark ? { 1: "earned", 0: "missed", "-1": "unscored" }[mark[0]] : "unscored");

  const prose = (text, kind) => el("div", { class: `prose ${kind}`, dir: "auto" }, words(text || "(nothing)"));
  const folded = (label, ...content) => el("details", null, el("summary", null, label), ...content);
  const prompt = (lines) => {
    const text = lines.map((line) => data.lines[line]).join("\n");
    return folded(`Prompt, ${count(text.length, "letter")}`, prose(text, "prompt"));
  };
  const facts = (stop, outcome, latency, input, output) => {
    const told = [];
    if (data.words[outcome] !== "ok" && data.words[outcome]) told.push(el("b", { class: "bad" }, `not used: ${data.words[outcome]}`));
    if (data.words[stop] && data.words[stop] !== "stop") told.push(`stopped by ${data.words[stop]}`);
    if (latency !== null) told.push(`${latency.toFixed(1)} s`);
    if (input !== null && output !== null) told.push(`${input.toLocaleString("en")} + ${output.toLocaleString("en")} tokens`);
    const line = el("p", { class: "facts-line" });
    told.forEach((fact, i) => line.append(i ? " · " : "", fact));
    return line;
  };

  const table = (text) => {
    const names = [...text.skills.map((skill) => data.words[skill]), ...data.criteria];
    const head = el("tr", null, el("th", { scope: "col" }, "criterion"), el("th", { scope: "col" }, "counts"));
    for (const [grader, round] of text.gradings) {
      const name = data.short.graders[grader];
      head.append(el("th", { scope: "col", title: data.graders[grader] }, name, el("small", null, `round ${round}`)));
    }
    const reasons = [];
    const cell = (mark, where) => {
      const [letter, meaning, reason] = sign(mark);
      if (reason) reasons.push([where, meaning, reason]);
      return el("td", { class: state(mark), title: reason || meaning, "aria-label": meaning }, letter);
    };
    const body = names.map((name, row) => el(
      "tr", null, el("th", { scope: "row" }, el("bdi", null, words(name))),
      cell(text.marks[row], `${name}, what counts`),
      ...text.gradings.map(([grader, round, marks]) => cell(marks[row], `${name}, ${data.graders[grader]}, round ${round}`)),
    ));
    const box = el(
      "div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Marks of this text" },
      el("table", { class: "marks" }, el("thead", null, head), el("tbody", null, ...body)),
    );
    if (!reasons.length) return [box];
    const list = reasons.map(([where, meaning, reason]) => el("li", null, el("b", null, el("bdi", null, where)), `: ${meaning}. `, el("bdi", null, words(reason))));
    return [box, folded(`Why: ${count(reasons.length, "reason")}`, el("ul", { class: "reasons" }, ...list))];
  };

  const turns = (text) => text.turns.map(([turn, attempt, lines, reply, ...rest]) => el(
    "div", { class: "turn" },
    el("h5", null, attempt > 1 ? `Turn ${turn}, asked again (${attempt})` : `Turn ${turn}`),
    prompt(lines), prose(reply, "reply"), facts(...rest),
  ));

  const gradings = (text) => text.gradings.filter((grading) => grading[3].length).map(([grader, round, marks, tries]) => {
    const signs = marks.map((mark) => (mark ? sign(mark)[0] : NONE[0])).join("");
    const again = tries.length > 1 ? ` · asked ${tries.length} times` : "";
    return folded(
      el("span", null, `${data.graders[grader]}, round ${round} `, el("span", { class: "signs" }, signs), again),
      ...tries.map(([, lines, reply, ...rest]) => el("div", { class: "turn" }, prompt(lines), prose(reply, "reply"), facts(...rest))),
    );
  });

  const step = (by, label) => {
    const at = found.indexOf(current) + by;
    const made = el("button", { type: "button" }, label);
    made.disabled = at < 0 || at >= found.length;
    made.addEventListener("click", () => go(by));
    return made;
  };

  const show = (i) => {
    current = i;
    const text = data.texts[i];
    for (const link of part("list").querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
    const link = part("list").querySelector(`[data-at="${i}"]`);
    if (link) {
      link.setAttribute("aria-current", "true");
      const list = part("list").parentElement;
      const top = link.offsetTop - list.offsetTop;
      if (top < list.scrollTop || top + link.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top - 60;
    }
    const copy = el("button", { type: "button", class: "quiet" }, "Copy link");
    copy.addEventListener("click", () => share(text.id, copy));
    const at = found.indexOf(i);
    const calls = turns(text);
    const graded = gradings(text);
    part("text").replaceChildren(
      el("div", { class: "steps" }, step(-1, "← Previous"), step(1, "Next →"),
        el("span", { class: "place" }, at < 0 ? "" : `${(at + 1).toLocaleString("en")} of ${found.length.toLocaleString("en")}`), copy),
      el("h4", { tabindex: "-1" }, el("bdi", null, words(data.words[text.topic])), " with ",
        el("bdi", null, words(text.skills.map((skill) => data.words[skill]).join(" · ")))),
      el("p", { class: "who" }, el("b", null, data.models[text.model]), ` · k = ${text.k} · round ${text.round} · `,
        el("span", { class: `verdict ${text.verdict}` }, VERDICTS[text.verdict]), " · ", el("code", null, text.id)),
      el("blockquote", { dir: "auto" }, words(text.text || "(no text)")),
      ...table(text),
      ...(calls.length ? [el("h5", { class: "part" }, "The conversation"), ...calls] : []),
      ...(graded.length ? [el("h5", { class: "part" }, "The gradings"), ...graded] : []),
    );
  };

  const place = (id) => page.address.set({ "": "", t: id });
  const share = async (id, button) => {
    place(id);
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "Copied";
    } catch {
      button.textContent = "The link is in the address bar";
    }
  };

  const go = (by) => {
    const next = found[found.indexOf(current) + by];
    if (next === undefined) return;
    while (found.indexOf(next) >= shown) more();
    place(data.texts[next].id);
    follow();
  };

  const keys = (event) => {
    if (event.target.closest("input, select, .scroll") || event.altKey || event.ctrlKey || event.metaKey) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) { event.preventDefault(); go(by); }
  };

  const wanted = () => page.address.get("t") ?? null;

  const follow = async () => {
    const id = wanted();
    if (id === null) return;
    if (!(await ready())) return;
    const i = places.get(id);
    if (i === undefined) {
      say("That text is not on this page; look for its id in the tables of the run.");
      root.scrollIntoView({ behavior: "instant" });
      return;
    }
    if (!found.includes(i)) { part("tools").reset(); terms = []; current = i; filter(); }
    while (found.indexOf(i) >= shown) more();
    const byKey = root.contains(document.activeElement) && document.activeElement.closest(".steps");
    show(i);
    const top = part("text").getBoundingClientRect().top;
    if (top < 0 || top > innerHeight * 0.6) part("text").scrollIntoView({ block: "start", behavior: "instant" });
    if (byKey) part("text").querySelector("h4").focus({ preventScroll: true });
  };

  let opening = null;
  const ready = () => {
    opening = opening || (async () => {
      try {
        if (typeof DecompressionStream === "undefined") throw new Error("this browser is too old to unpack them");
        await unpack();
        setUp();
        const id = wanted();
        if (id !== null && places.has(id)) current = places.get(id);
        filter();
        return true;
      } catch (error) {
        say(`The transcripts cannot be shown: ${error.message}.`);
        return false;
      }
    })();
    return opening;
  };

  root.hidden = false;
  if (wanted() !== null) {
    follow();
  } else if (typeof IntersectionObserver === "undefined") {
    ready();
  } else {
    const near = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) { near.disconnect(); ready(); }
    }, { rootMargin: "1500px" });
    near.observe(root);
  }
  window.addEventListener("hashchange", follow);
})();
