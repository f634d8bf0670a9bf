/* The theory to touch: three pictures and their sliders. */
const svg = (name, attributes, ...children) => {
  const made = document.createElementNS(document.querySelector("svg").namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};
const percent = (share) => `${(100 * share).toFixed(share < 0.0995 && share > 0 ? 1 : 0)} %`;
const digits = (value, n = 2) => Number(value.toPrecision(n)).toLocaleString("en");
const range = (n) => Array.from({ length: n }, (_, i) => i);

/* Numbers in [0, 1), the same for the same seed (mulberry32). */
const uniforms = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

/* A plot: axes with words and ticks, lines, a rule and a dot; x and y are [least, most, ticks, write]. */
const WIDE = 420;
const HIGH = 260;
const EDGES = { left: 46, right: 12, top: 14, bottom: 44 };
const plot = (box, label, { x, y, lines, rule, dots = [] }) => {
  const place = ([least, most], from, to) => (value) =>
    from + ((value - least) / (most - least)) * (to - from);
  const across = place(x.range, EDGES.left, WIDE - EDGES.right);
  const up = place(y.range, HIGH - EDGES.bottom, EDGES.top);
  const kept = (value) => Math.min(Math.max(value, y.range[0]), y.range[1]);
  const ticks = [
    ...x.ticks.map((at) => svg("text", { x: across(at), y: HIGH - 26, class: "middle" }, x.write(at))),
    ...y.ticks.flatMap((at) => [
      svg("line", { x1: EDGES.left, x2: WIDE - EDGES.right, y1: up(at), y2: up(at), class: "grid" }),
      svg("text", { x: EDGES.left - 6, y: up(at) + 4, class: "end" }, y.write(at)),
    ]),
    svg("text", { x: (EDGES.left + WIDE - EDGES.right) / 2, y: HIGH - 6, class: "middle" }, x.name),
  ];
  const drawn = lines.map(({ at, kind }) => svg("polyline", {
    class: `line ${kind}`,
    points: at.filter(([, value]) => Number.isFinite(value))
      .map(([place1, value]) => `${across(place1).toFixed(1)},${up(kept(value)).toFixed(1)}`).join(" "),
  }));
  const names = lines.filter(({ name }) => name).map(({ name, kind }, i) => svg("g", {},
    svg("line", { x1: WIDE - 120, x2: WIDE - 98, y1: 26 + 17 * i, y2: 26 + 17 * i, class: `line ${kind}` }),
    svg("text", { x: WIDE - 92, y: 30 + 17 * i }, name)));
  if (rule !== undefined) {
    ticks.push(svg("line", { x1: across(rule), x2: across(rule), y1: EDGES.top,
      y2: HIGH - EDGES.bottom, class: "rule" }));
  }
  const marked = dots.filter(([, value]) => Number.isFinite(value)).map(([at, value, kind]) =>
    svg("circle", { cx: across(at), cy: up(kept(value)), r: 6, class: `dot ${kind}` }));
  box.replaceChildren(...ticks, ...drawn, ...names, ...marked);
  box.setAttribute("aria-label", label);
};

const picture = (place, kind, high = HIGH) => {
  const box = svg("svg", { viewBox: `0 0 ${WIDE} ${high}`, role: "img", class: kind });
  place.append(box);
  return box;
};

/* A bench: its sliders by name, where it draws, and `update`, called with their values. */
const bench = (root, make) => {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const sliders = [...root.querySelectorAll("input")];
  const own = { drawings: part("drawings"), seed: 1 };
  const [empty] = own.drawings.children;
  const update = make(own);
  empty.remove();
  const show = () => {
    const values = Object.fromEntries(sliders.map((s) => [s.name, Number(s.value)]));
    const { says, written } = update(values, own.seed);
    part("says").textContent = says;
    for (const slider of sliders) {
      const words = written[slider.name];
      part(`value-${slider.name}`).textContent = words;
      slider.setAttribute("aria-valuetext", words);
    }
  };
  sliders.forEach((slider) => slider.addEventListener("input", show));
  part("again")?.addEventListener("click", () => { own.seed += 1; show(); });
  show();
};

const POINTS = 150;

const graphBench = (own) => {
  const [graph, curve] = [picture(own.drawings, "graph"), picture(own.drawings, "plot")];
  let drawn = null;
  const draw = (seed) => {
    const next = uniforms(seed);
    /* points of a sunflower: evenly spread, and none on another */
    const at = range(POINTS).map((i) => {
      const [r, turn] = [Math.sqrt((i + 0.5) / POINTS), 2.399963 * i + next() * 0.3];
      return [WIDE / 2 + 195 * r * Math.cos(turn), HIGH / 2 + 120 * r * Math.sin(turn)];
    });
    const ties = [];
    for (let i = 0; i < POINTS; i += 1) {
      for (let j = 0; j < i; j += 1) ties.push([next(), i, j]);
    }
    return { seed, at, ties: ties.sort((a, b) => a[0] - b[0]) };
  };
  const most = 0.08;
  const at = range(161).map((i) => (i / 160) * most);
  const lines = [{ at: at.map((p) => [p, noneIsolated(POINTS, p)]), kind: "ink" }];
  return ({ p }, seed) => {
    if (drawn?.seed !== seed) drawn = draw(seed);
    const here = drawn.ties.filter(([chance]) => chance < p);
    const tied = new Set(here.flatMap(([, i, j]) => [i, j]));
    const path = here.map(([, i, j]) =>
      `M${drawn.at[i].map((v) => v.toFixed(0))}L${drawn.at[j].map((v) => v.toFixed(0))}`).join("");
    const alone = POINTS - tied.size;
    graph.replaceChildren(
      svg("path", { d: path || "M0 0", class: "tie" }),
      ...drawn.at.map(([x, y], i) =>
        svg("circle", { cx: x, cy: y, r: tied.has(i) ? 3 : 5, class: tied.has(i) ? "tied" : "alone" })),
    );
    graph.setAttribute("aria-label", `${POINTS} points, ${here.length} ties, ${alone} without a tie`);
    const chance = noneIsolated(POINTS, p);
    plot(curve, "Chance that no point is left alone, against p", {
      x: { range: [0, most], ticks: [0, 0.02, 0.04, 0.06, 0.08], write: String, name: "p (dotted: ln n / n)" },
      y: { range: [0, 1], ticks: [0, 0.5, 1], write: percent },
      lines, rule: Math.log(POINTS) / POINTS, dots: [[p, chance, "own"]],
    });
    return {
      says: `${here.length} ties; ${alone} of ${POINTS} points without one (expected: ` +
        `${digits(isolatedExpected(POINTS, p))}). Chance that none is left: ${percent(chance)}.`,
      written: { p: p.toFixed(4) },
    };
  };
};

const [SKILLS, TEXTS, ROW] = [40, 1600, 64];
const [TALL, LOW] = [150, 110];

const skillsBench = (own) => {
  const left = document.createElement("div");
  own.drawings.append(left);
  const [texts, bars] = [picture(left, "texts", TALL), picture(left, "bars", LOW)];
  const curve = picture(own.drawings, "plot");
  /* k different skills for each text, and the order in which luck fails the texts. */
  let drawn = null;
  const draw = (seed, k) => {
    const next = uniforms(seed);
    const needs = range(TEXTS).map(() => {
      const own1 = new Set();
      while (own1.size < k) own1.add(Math.floor(next() * SKILLS));
      return [...own1];
    });
    return { seed, k, needs, luck: range(TEXTS).map(() => next()) };
  };
  const at = range(100).map((i) => (i + 0.5) / 100);
  return ({ theta, k, alpha }, seed) => {
    if (drawn?.seed !== seed || drawn.k !== k) drawn = draw(seed, k);
    const { needs, luck } = drawn;
    const aimed = Math.round(alpha * SKILLS);
    const hits = needs.map((own1) => own1.filter((skill) => skill < aimed).length);
    const failed = new Set(range(TEXTS).sort((a, b) => hits[b] - hits[a] || luck[a] - luck[b])
      .slice(0, Math.round(theta * TEXTS)));
    const [all, lost] = [new Float64Array(SKILLS), new Float64Array(SKILLS)];
    needs.forEach((own1, text) => own1.forEach((skill) => {
      all[skill] += 1;
      if (failed.has(text)) lost[skill] += 1;
    }));
    const share = (list) => {
      const sum = (counts) => list.reduce((total, skill) => total + counts[skill], 0);
      return sum(all) ? sum(lost) / sum(all) : 0;
    };
    const [wide, high] = [WIDE / ROW, TALL / (TEXTS / ROW)];
    const squares = (wanted) => range(TEXTS).filter((text) => failed.has(text) === wanted)
      .map((text) => `M${((text % ROW) * wide + 0.7).toFixed(1)} ${(Math.floor(text / ROW) * high + 0.7).toFixed(1)}` +
        `h${(wide - 1.4).toFixed(1)}v${(high - 1.4).toFixed(1)}h-${(wide - 1.4).toFixed(1)}z`).join("");
    texts.replaceChildren(svg("path", { d: squares(false), class: "kept" }),
      svg("path", { d: squares(true), class: "failed" }));
    texts.setAttribute("aria-label", `${failed.size} of ${TEXTS} texts fail`);
    const good = range(SKILLS).filter((skill) => share([skill]) <= 2 * theta).length;
    const floor = LOW - 24;
    const rise = (value) => Math.max(1, value * (floor - 10));
    bars.replaceChildren(
      ...range(SKILLS).map((skill) => {
        const value = share([skill]);
        return svg("rect", { x: 8 + skill * 10.1, width: 8, y: floor - rise(value), height: rise(value),
          class: value <= 2 * theta ? "kept" : "failed" });
      }),
      svg("line", { x1: 4, x2: WIDE - 4, y1: floor - rise(Math.min(1, 2 * theta)),
        y2: floor - rise(Math.min(1, 2 * theta)), class: "rule" }),
      svg("text", { x: WIDE / 2, y: LOW - 6, class: "middle" },
        "each skill's share of failed texts (dotted: 2θ)"),
    );
    bars.setAttribute("aria-label", `${good} of ${SKILLS} skills fail in at most ${percent(2 * theta)} of their texts`);
    const worst = aimed ? share(range(aimed)) : share(range(SKILLS));
    const real = aimed ? aimed / SKILLS : 1;
    plot(curve, "Share of texts failed by the worst skills: sharp bound, classic bound and luck", {
      x: { range: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1], write: (v) => percent(v), name: "share of the skills" },
      y: { range: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1], write: (v) => percent(v) },
      lines: [
        { at: at.map((a) => [a, sharp(theta, a, k)]), kind: "ink", name: "sharp" },
        /* where the classic bound is 1 it says nothing */
        { at: at.map((a) => [a, classic(theta, a, k)]).filter(([, f]) => f < 1), kind: "soft", name: "classic" },
        { at: [[0, theta], [1, theta]], kind: "luck", name: "luck" },
      ],
      dots: [[real, worst, "own"]],
    });
    const most = aimed ? ` The bound for large graphs: ${percent(sharp(theta, real, k))}.` : "";
    return {
      says: (aimed ? `Malice: the ${aimed} skills aimed at fail in ${percent(worst)} of their texts.${most}`
        : `Luck: each skill fails in about ${percent(theta)} of its texts.`) +
        ` ${good} of ${SKILLS} skills stay competent (at most 2θ).`,
      written: { theta: percent(theta), k: String(k), alpha: aimed ? percent(alpha) : "0: luck" },
    };
  };
};

const [PARAMS, TOKENS, GIVEN_UP, FAILURE] = [7e9, 1.4e11, 0.1, 0.1];

const scaleBench = (own) => {
  const curve = picture(own.drawings, "plot");
  return ({ factor: power, theta, k }) => {
    const ratio = (r) => excess(PARAMS, TOKENS) / excess(r * PARAMS, r * TOKENS);
    const bounds = [["sharp", sharp, "ink"], ["classic", classic, "soft"]].map(([name, bound, kind]) =>
      ({ name, kind, allow: allowed(bound, FAILURE, GIVEN_UP, k) }));
    const at = range(61).map((i) => i / 20);
    const reached = (allow, x) => reach(theta / ratio(10 ** x), allow);
    const top = Math.max(4, ...bounds.map(({ allow }) => reached(allow, 3) || 0));
    const step = 10 ** Math.floor(Math.log10(top / 2));
    const each = top / step > 10 ? 5 * step : top / step > 4 ? 2 * step : step;
    plot(curve, "Skills at once, k′, against scale", {
      x: { range: [0, 3], ticks: [0, 1, 2, 3], write: (x) => `× ${10 ** x}`, name: "parameters and text, from 7 billion and 140 billion tokens" },
      y: { range: [0, top], ticks: range(Math.floor(top / each) + 1).map((i) => i * each), write: (v) => digits(v) },
      lines: bounds.map(({ name, kind, allow }) =>
        ({ name, kind, at: at.map((x) => [x, reached(allow, x)]) })),
      dots: bounds.map(({ allow }) => [power, reached(allow, power), "own"]),
    });
    const later = theta / ratio(10 ** power);
    const whole = (share) => Math.floor(reach(share, bounds[0].allow) * (1 + 1e-12));
    return {
      says: `Scale × ${digits(10 ** power, 3)}: excess loss ÷ ${ratio(10 ** power).toFixed(2)}, θ from ` +
        `${percent(theta)} to ${percent(later)}; k′ from ${whole(theta)} to ${whole(later)} by the sharp bound.`,
      written: { factor: digits(10 ** power, 3), theta: percent(theta), k: String(k) },
    };
  };
};

for (const [name, make] of Object.entries({ graph: graphBench, skills: skillsBench, scale: scaleBench })) {
  document.querySelectorAll(`[data-bench="${name}"]`).forEach((root) => bench(root, make));
}
