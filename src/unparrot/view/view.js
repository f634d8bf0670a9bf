// What the app's pages do beyond showing: each screen that does something has a function here.
"use strict";

const POLL = 2000; // milliseconds between two looks at runs that go on

const screens = {runs, marking, trying};

const part = name => document.querySelector(`[data-part=${name}]`);

async function ask(path, sent) {
  const settings = sent === undefined ? {} : {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(sent),
  };
  const answer = await fetch(path, settings);
  if (answer.ok) return answer.json();
  const known = await answer.json().catch(() => null);
  throw new Error(known?.problem || `The app answered with ${answer.status}.`);
}

function tell(problem) {
  const box = part("problem");
  box.hidden = !problem;
  box.textContent = problem;
}

function element(name, words, settings = {}) {
  const made = document.createElement(name);
  made.textContent = words;
  for (const [key, value] of Object.entries(settings)) made.setAttribute(key, value);
  return made;
}

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

// A person marks a sample: one point after another, each mark on disk before the next is taken.
function marking() {
  const {by, n, seed} = document.body.dataset;
  const sample = {by, n: Number(n), seed: Number(seed)};
  const address = `${location.pathname}.json`;
  const WORDS = {"1": "yes", "0": "no", "?": "cannot tell", "": "not marked yet"};
  let texts = [];
  let at = 0; // the text
  let point = 0;
  let queue = Promise.resolve();
  let failures = 0;
  const given = []; // the marks of this visit: where, and what stood there before

  const ended = text => text.points.every(each => each.mark);
  const blank = text => Math.max(0, text.points.findIndex(each => !each.mark));

  function show() {
    const text = texts[at];
    const done = texts.filter(ended).length;
    part("where").textContent =
      `Text ${at + 1} of ${texts.length} · ${done} marked by ${by}, ${texts.length - done} left`;
    part("progress").max = texts.length;
    part("progress").value = done;
    part("topic").textContent = text.topic ? `Topic: ${text.topic}` : "";
    part("text").textContent = text.text;
    part("points").replaceChildren(...text.points.map((each, i) => {
      const line = element("li", "", {"data-mark": each.mark});
      if (i === point) line.setAttribute("aria-current", "true");
      const choice = element("button", "", {type: "button"});
      choice.append(element("b", each.name), element("span", WORDS[each.mark], {class: "mark"}));
      const here = at;
      choice.addEventListener("click", () => next(() => move(here, i)));
      line.append(choice, element("p", each.meaning));
      return line;
    }));
    part("all").hidden = done < texts.length;
    part("sheet").hidden = false;
    const now = text.points[point];
    part("announce").textContent =
      `Text ${at + 1}, point ${point + 1} of ${text.points.length}: ${now.name}, ${WORDS[now.mark]}`;
  }

  function move(to, where) {
    if (to < 0 || to >= texts.length) return;
    if (to !== at) window.scrollTo(0, 0);
    [at, point] = [to, where];
    show();
  }

  function forward() {
    const text = texts[at];
    const later = text.points.findIndex((each, i) => i > point && !each.mark);
    if (later >= 0) return move(at, later);
    if (!ended(text)) return move(at, blank(text));
    const order = [...texts.keys()].map(i => (at + 1 + i) % texts.length);
    const next = order.find(i => !ended(texts[i]));
    return next === undefined ? show() : move(next, blank(texts[next]));
  }

  async function put(mark) {
    const text = texts[at];
    const before = text.points[point].mark || null;
    const sent = {sample, text: text.id, point: text.points[point].name, mark};
    const marks = await ask(address, sent);
    for (const each of text.points) each.mark = marks[each.name] || "";
    return before;
  }

  // the last mark of this visit; after those of this visit, the mark of the point before this one
  async function undo() {
    const last = given.at(-1);
    if (last) {
      if (last.at !== at) window.scrollTo(0, 0);
      [at, point] = [last.at, last.point];
      show();
      await put(last.before);
      given.pop();
      return show();
    }
    const all = part("all").hidden === false && texts[at].points[point].mark;
    if (!all) {
      if (point > 0) point -= 1;
      else if (at > 0) [at, point] = [at - 1, texts[at - 1].points.length - 1];
      else return;
    }
    show();
    if (texts[at].points[point].mark) await put(null);
    show();
  }

  async function take(key) {
    if (key === "ArrowRight") move(at + 1, blank(texts[Math.min(at + 1, texts.length - 1)]));
    else if (key === "ArrowLeft") move(at - 1, blank(texts[Math.max(at - 1, 0)]));
    else if (key === "u") await undo();
    else {
      given.push({at, point, before: await put(key)});
      forward();
    }
    tell("");
  }

  // steps wait for each other, so that none is taken before the mark of the last is kept; after one
  // that is not, those that wait were meant for other points than the one that is shown
  function next(step) {
    const before = failures;
    queue = queue.then(() => before === failures && step()).catch(error => {
      failures += 1;
      tell(`${error.message} This mark is not kept, nor what was typed after it.`);
    });
  }

  const press = key => next(() => take(key));

  const KEYS = {y: "1", n: "0", Backspace: "u", z: "u"};
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || !texts.length) return;
    const key = KEYS[event.key] || event.key;
    if (!["1", "0", "?", "u", "ArrowLeft", "ArrowRight"].includes(key)) return;
    event.preventDefault();
    if (!event.repeat || key.startsWith("Arrow")) press(key); // a key held down is one mark
  });
  for (const button of document.querySelectorAll("[data-key]")) {
    button.addEventListener("click", () => press(button.dataset.key));
  }
  part("end").addEventListener("click", async () => {
    const page = location.pathname.replace(/mark$/, "agreement");
    try {
      part("end").disabled = true;
      await ask(page, {});
      location.assign(page);
    } catch (error) {
      part("end").disabled = false;
      tell(`The marks are kept, but not yet in the tables of the run: ${error.message}`);
    }
  });
  ask(`${address}?${new URLSearchParams({by, n, seed})}`).then(all => {
    texts = all;
    const first = texts.findIndex(text => !ended(text));
    at = Math.max(0, first);
    point = first < 0 ? texts[0].points.length - 1 : blank(texts[at]);
    show();
  }).catch(error => {
    part("where").textContent = "";
    tell(error.message);
  });
}

// Skills are sent in the order in which they were ticked.
function trying() {
  document.addEventListener("change", event => {
    const label = event.target.closest("label[data-place]");
    if (!label) return;
    if (event.target.checked) {
      part("chosen").append(label);
    } else {
      const later = [...part("others").children].find(
        other => Number(other.dataset.place) > Number(label.dataset.place),
      );
      part("others").insertBefore(label, later || null);
    }
    event.target.focus();
  });
}

screens[document.body.dataset.screen]?.();
