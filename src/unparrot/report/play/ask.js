/* Ask them yourself: the request, what is new about it, and the texts, which appear word by word and
   are marked then. Whatever is written enters the page as text. */
const MOST_SKILLS = 12;
const WORD_MS = 45;
const [BOS, END] = [1, 2];

/* The pieces of a text as people write it, one for each token. */
const written = (words, capitals) => {
  let start = true;
  return words.map((word, i) => {
    if (word === "'s" || word === ",") return word;
    if (word === "." || word === "?") {
      start = true;
      return word;
    }
    const large = start || capitals.has(word);
    start = false;
    return (i ? " " : "") + (large ? word[0].toUpperCase() + word.slice(1) : word);
  });
};

const promptWords = (topic, skills, about) => [
  "topic:", topic, "about:", ...about.split(" "), "skills:",
  ...skills.flatMap((skill, i) => (i ? [",", skill] : [skill])), "text:",
];

/* What training never showed of a request, in words; of a skill, beside those that are picked. */
const novelty = ({ pairs, triples, cells, max_k: most }, topic, skills) => {
  const has = (group) => group.filter((names) => names.every((name) => skills.includes(name)));
  const held = has(pairs);
  const inside = has(triples);
  const told = [
    ...held.map((pair) => `${pair.join(" + ")} together`),
    ...inside.map((three) => `${three.join(" + ")} together, though each two of them`),
    ...cells.filter(([own, skill]) => own === topic && skills.includes(skill))
      .map(([, skill]) => `${skill} on ${topic}`),
  ];
  if (skills.length > most) told.push(`${skills.length} skills at once, only up to ${most}`);
  return told;
};

const ask = async (root, source) => {
  const part = (name, within = root) => within.querySelector(`[data-part="${name}"]`);
  const raw = atob(source.textContent.trim());
  const bytes = Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const pocket = await new Response(stream).json();
  source.remove();
  const { vocabulary, held_out: held, situations } = pocket;
  const number = new Map(vocabulary.map((word, i) => [word, i]));
  const capitals = new Set(pocket.capitals.map((i) => vocabulary[i]));
  const models = new Map();
  const parrot = neighbour(pocket.read);
  const marks = grading(pocket.grader);
  const code = (word) => pocket.grader.codes[number.get(word)];
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const cards = [...root.querySelectorAll("article")];
  const main = root.querySelector(".main");
  let skills = [];
  let run = 0;

  const options = (select, names) =>
    select.replaceChildren(...names.map((name) => new Option(name, name)));
  const topic = () => part("topic").value;
  const about = () => part("about").value;
  const prompt = () => promptWords(topic(), skills, about()).join(" ");
  /* Ask for what a prompt says, if it is one of this page. */
  const take = (words) => {
    const [, place, thing, list] = /^topic: (\S+) about: (.+) skills: (.+) text:$/.exec(words) || [];
    const wanted = (list || "").split(" , ");
    const known = wanted.every((name) => pocket.skills.some((skill) => skill.name === name));
    if (!situations[place]?.includes(thing) || !known) return;
    skills = [...new Set(wanted)].slice(0, MOST_SKILLS);
    part("topic").value = place;
    options(part("about"), situations[place]);
    part("about").value = thing;
  };

  const explain = (names) => {
    const meaning = (name) => pocket.skills.find((skill) => skill.name === name).definition;
    part("meaning").textContent = names.map((name) => `${name}: ${meaning(name)}`).join(" ");
  };

  const buttons = pocket.skills.map(({ name, definition, example }) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = name;
    made.title = definition;
    made.addEventListener("click", () => {
      if (skills.includes(name)) skills = skills.filter((other) => other !== name);
      else if (skills.length < MOST_SKILLS) skills.push(name);
      part("meaning").textContent = `${name}: ${definition} “${example}”`;
      show();
    });
    return made;
  });

  const show = () => {
    buttons.forEach((button) => {
      const name = button.textContent;
      const picked = skills.indexOf(name);
      const fresh = skills.length && picked < 0 &&
        held.pairs.some((pair) => pair.includes(name) && pair.some((own) => skills.includes(own)));
      button.setAttribute("aria-pressed", String(picked >= 0));
      button.dataset.place = picked >= 0 ? `${picked + 1} ` : "";
      button.classList.toggle("novel", Boolean(fresh));
      button.setAttribute("aria-label", name + (picked >= 0 ? `, number ${picked + 1}` : "") +
        (fresh ? ", never seen with what is picked" : ""));
      button.disabled = picked < 0 && skills.length >= MOST_SKILLS;
    });
    part("prompt").textContent = prompt();
    const told = novelty(held, topic(), skills);
    part("novelty").textContent = !skills.length ? "Pick a skill, or several: their order counts."
      : told.length ? `No training text held ${told.join("; ")}.`
        : "Nothing of this was held out of training.";
    part("novelty").classList.toggle("novel", told.length > 0);
    main.disabled = !skills.length;
  };

  /* What one writes, marked: the words of its text, the marks, and a note under them. */
  const answer = (name, asked) => {
    let [words, note] = [[], ""];
    if (name === "parrot") {
      const [of, , own, text] = parrot(...asked);
      [words, note] = [text.split(" "), `Copied: what training held for ${of}: ${own.join(", ")}.`];
    } else {
      if (!models.has(name)) {
        const packed = pocket.models.find((model) => model.name === name);
        models.set(name, unpacked(packed, vocabulary.length));
      }
      const most = pocket.most_tokens * (1 + asked[1].length);
      const read = [BOS, ...promptWords(...asked).map((word) => number.get(word))];
      const tokens = continued(models.get(name), read, most, END);
      words = tokens.map((token) => vocabulary[token]);
      if (tokens.length === most) note = "It did not come to an end.";
    }
    const given = marks(asked[1], asked[2], words.map((word) => number.get(word)), code);
    return { words, note, given };
  };

  /* Put an answer on its card, unseen as yet: the whole text takes its room at once, so that nothing
     moves while its words appear. Returns these, and all of it in words. */
  const lay = (card, { words, note, given }) => {
    const pieces = written(words, capitals);
    const made = (name, text) => Object.assign(document.createElement(name), { textContent: text });
    const spans = pieces.map((piece) => made("span", piece));
    part("says", card).replaceChildren(...spans);
    part("source", card).textContent = note;
    part("marks", card).replaceChildren(...given.map(([name, earned]) =>
      Object.assign(made("li", `${earned ? "✓" : "✗"} ${name}`), { className: earned ? "earned" : "missed" })));
    const missed = given.filter(([, earned]) => !earned).map(([name]) => name);
    card.classList.toggle("full", !missed.length);
    card.classList.remove("done");
    return [card, spans, `${card.dataset.name} wrote: ${pieces.join("") || "nothing."} ` +
      (missed.length ? `Missed: ${missed.join(", ")}.` : "Full marks.")];
  };

  const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
  /* The first request is answered when somebody comes to see it. */
  const watch = new IntersectionObserver(([seen]) => { if (seen.isIntersecting) write(true); });

  /* Let all write what is asked for: at once and silently, or word by word. */
  const write = async (quiet = false) => {
    watch.disconnect();
    if (!quiet) page.address.set({ "": "ask", ask: prompt() });
    run += 1;
    const own = run;
    const asked = [topic(), [...skills], about()];
    const answers = [];
    part("status").textContent = "";
    for (const card of cards) {
      await pause(0); /* so that the page stays awake */
      if (own !== run) return;
      answers.push(answer(card.dataset.name, asked));
    }
    const texts = cards.map((card, i) => lay(card, answers[i]));
    if (!quiet) cards[0].scrollIntoView({ block: "nearest", behavior: still.matches ? "auto" : "smooth" });
    const longest = Math.max(...texts.map(([, spans]) => spans.length));
    for (let i = 0; i < longest && !quiet && !still.matches; i += 1) {
      texts.forEach(([card, spans]) => {
        spans[i]?.classList.add("out");
        card.classList.toggle("done", i + 1 >= spans.length);
      });
      await pause(WORD_MS);
      if (own !== run) return;
    }
    texts.forEach(([card, spans]) => {
      spans.forEach((span) => span.classList.add("out"));
      card.classList.add("done");
    });
    if (!quiet) part("status").textContent = texts.map(([, , words]) => words).join(" ");
  };

  /* A pair that was held out, and others around it. */
  const draw = () => {
    const any = (list) => list[Math.floor(Math.random() * list.length)];
    const pair = any(held.pairs);
    skills = [...pair];
    while (skills.length < Number(part("among").value)) {
      const more = any(pocket.skills).name;
      if (!skills.includes(more)) skills.splice(Math.floor(Math.random() * (skills.length + 1)), 0, more);
    }
    part("topic").value = any([...part("topic").options]).value;
    options(part("about"), situations[topic()]);
    part("about").value = any(situations[topic()]);
    explain(pair);
    show();
  };

  part("skills").append(...buttons);
  options(part("topic"), Object.keys(situations).filter((name) => situations[name].length));
  options(part("about"), situations[topic()]);
  part("topic").addEventListener("change", () => {
    options(part("about"), situations[topic()]);
    show();
  });
  part("about").addEventListener("change", show);
  part("draw").addEventListener("click", () => { draw(); write(); });
  part("clear").addEventListener("click", () => { skills = []; show(); buttons[0].focus(); });
  main.addEventListener("click", () => write());
  const most = Math.min(MOST_SKILLS, pocket.skills.length);
  options(part("among"), Array.from({ length: most - 1 }, (_, i) => i + 2));
  part("among").value = String(Math.min(4, most));
  skills = [...(held.pairs[0] || [pocket.skills[0].name])];
  if (!held.pairs.length) part("drawing").remove();
  take(page.address.get("ask") || "");
  explain(skills.slice(0, 2));
  show();
  root.classList.remove("waiting");
  watch.observe(cards[0]);
};

{
  const root = document.getElementById("asked");
  const source = document.getElementById("pocket");
  if (root && source) ask(root, source);
}
