/* The exact grader, as unparrot.lab.grader.reader: it takes a text apart clause by clause and marks
   every skill, topic, sense and length. Its regular expressions and facts are those of the grader
   itself, which writes them down (unparrot.lab.grader.as_data); a word is a character. */
const grading = (data) => {
  const { names, types, pronouns, tables, noun_phrases: phrases } = data;
  const LAST = types.length;
  const [WOMAN, NAMED] = [8, 16];
  const OUTERMOST = 4;
  const POSSESSIVE = 2;
  const starts = (source) => new RegExp(source, "y");
  const [joint, ends, opener] = [data.joint, data.ends, data.opener].map(starts);
  const [aboutForm, others] = [new RegExp(`^(?:${data.about})$`), new RegExp(data.others)];
  const things = new RegExp(data.thing, "g");
  const women = new Set(data.women);
  const compiled = new Map();
  const match = (part, codes, at) => {
    const source = typeof part === "string" ? part : part.source;
    if (!compiled.has(source)) compiled.set(source, starts(source));
    const pattern = compiled.get(source);
    pattern.lastIndex = at;
    const found = pattern.exec(codes);
    return found && { groups: found.slice(1).map((group) => group ?? ""), end: pattern.lastIndex };
  };
  const sticky = (pattern, codes, at) => {
    pattern.lastIndex = at;
    return pattern.exec(codes);
  };

  /* What is to be said in each clause: operators from the outside in and the proposition, modifiers. */
  const plan = (skills) => {
    const clauses = [];
    let [operators, modifiers] = [[], []];
    const close = (proposition) => {
      clauses.push(clause(operators, proposition, modifiers));
      [operators, modifiers] = [[], []];
    };
    const clause = (above, proposition, beside) => [
      [...(above.length === 2 && above[1] === names.question ? [above[1], above[0]] : above), proposition],
      beside.length === 2 && beside[1] === names.alliteration ? [beside[1], beside[0]] : beside,
    ];
    for (const skill of skills) {
      const kind = data.kinds[skill];
      if (kind === "proposition") {
        close(skill);
        continue;
      }
      if ((kind === "operator" ? operators : modifiers).length === data.most_waiting) close(names.carrier);
      if (kind === "operator") operators = [...operators, skill];
      else modifiers = [...modifiers, skill];
    }
    if (!operators.length && !modifiers.length) return clauses;
    if (clauses.length) {
      const [own, figures] = clauses[clauses.length - 1];
      const [last, above] = [own[own.length - 1], own.slice(0, -1)];
      if (Math.max(above.length + operators.length, figures.length + modifiers.length) <= data.most_waiting) {
        [operators, modifiers] = [[...operators, ...above], [...figures, ...modifiers]];
        clauses.pop();
        close(last);
        return clauses;
      }
    }
    close(names.carrier);
    return clauses;
  };

  /* Whether what a pattern says holds; the text then holds what it concludes. */
  const holds = ([kind, ...rest], at, pattern, groups, held) => {
    const word = groups[at];
    const of = (name) => groups[pattern.place[name]];
    const { opposite, after, brings, value } = tables;
    if (kind === "held") return [null, word].includes(held[types.indexOf(rest[0])]);
    if (kind === "other" && rest.length === 1) return held[types.indexOf(rest[0])] !== word;
    if (kind === "other") {
      return [of(rest[2]), of(rest[rest.length - 1])]
        .every((one) => word !== one && word !== opposite[one]);
    }
    if (kind === "row") return !pattern.rows[rest[0]] || pattern.rows[rest[0]].includes(word);
    if (kind === "opposite") return opposite[of(rest[1])] === word;
    if (kind === "day") return after[of(rest[1])] === word;
    if (kind === "brought") return brings[of(rest[1])] === word;
    const [n, m] = [value[of(rest[1])], value[of(rest[2])]];
    return value[word] === (n <= data.twelve ? n + m : n - m);
  };
  const judge = (pattern, groups, held) => {
    let sound = true;
    const unsure = new Set();
    for (const [at, form, again] of pattern.repeats) {
      if (groups[again] !== form[groups[at]]) {
        sound = false;
        unsure.add(at);
      }
    }
    for (const [fact, at] of pattern.facts) if (!holds(fact, at, pattern, groups, held)) sound = false;
    if (pattern.over !== null &&
      (tables.value[groups[pattern.place.n]] > data.twelve) !== pattern.over) sound = false;
    for (const [kind, at] of pattern.writes) {
      const word = unsure.has(at) ? null : groups[at];
      held[kind] = word;
      if (types[kind] !== "day") held[LAST] = word && phrases[word];
    }
    return sound;
  };

  /* How each person is due to be named, and the key of what follows. */
  const shapes = (part, start) => {
    let key = start;
    if (part.actor) key = part.actor === "A" ? key ^ 4 : key & ~4;
    const due = part.people.map(([role, form]) => {
      const person = { P: 0, O: 0, Q: 1 }[role] ?? ((key >> 2) & 1) ^ (role === "B" ? 1 : 0);
      const again = (key >> person) & 1 && !(role === "O" && key & NAMED);
      key |= 1 << person;
      return again ? pronouns[(key & WOMAN ? 1 : 0) ^ person][form]
        : "PQ"[person] + (form === POSSESSIVE ? data.whose : "");
    });
    return [due, key];
  };

  const figuresOf = (codes) => {
    const steps = [];
    for (let at = 0; at < codes.length - 1;) {
      const pattern = data.figures.find((each) => match(each, codes, at));
      const { groups, end } = match(pattern, codes, at);
      steps.push([pattern, groups]);
      at = end;
    }
    return steps;
  };

  const inOrder = (places) => {
    const first = [...new Set(places.filter((place) => place !== null))];
    return new Set(first.filter((place, at) =>
      first.slice(0, at).every((other) => other < place) &&
      first.slice(at + 1).every((other) => other > place)));
  };

  /* The marks of a text: tokens by number, of a request for skills on what `about` says. */
  return (skills, about, tokens, encode) => {
    const [, other, owner, quality, material, price, thing1, thing2, place] =
      aboutForm.exec(about.split(" ").map(encode).join(""));
    const thing = thing1 ?? thing2;
    const woman = women.has(owner) ? WOMAN : 0;
    const codes = tokens.map((token) => data.codes[token]).join("")
      .replaceAll(owner, "P").replaceAll(other, "Q").replaceAll(thing, "O");
    const last = phrases[quality ?? material ?? price ?? place];
    let held = [quality ?? null, material ?? null, place ?? null, price ?? null, null, null, last];
    let onTopic = codes.includes("O") && !others.test(codes);
    let sense = codes.length > 0;
    const clauses = [];
    const wrong = new Set();
    const planned = plan(skills);

    const who = (word) => {
      if ("PQ".includes(word[0])) return "PQ".indexOf(word[0]);
      if (word === data.the) return -1;
      const sex = pronouns.findIndex((forms) => forms.includes(word));
      return sex < 0 ? null : sex ^ (woman ? 1 : 0);
    };
    /* Note who is misnamed; whether who acts in an operator is who should act. */
    const naming = (part, groups, key, misnamed) => {
      const [due] = shapes(part, key);
      for (let i = 0; i < due.length; i += 1) {
        const [role, , group] = part.people[i];
        const [word, shape] = [groups[group], due[i]];
        const [named, wanted] = [who(word), who(shape)];
        if (word === shape || named === null || wanted === null) continue;
        if (named !== wanted && part.actor && group === 0) return false;
        misnamed.push(role === "O" && named >= 0 && named !== wanted);
      }
      return true;
    };
    const parse = (from) => {
      let [at, form, key] = [from, OUTERMOST, woman];
      const steps = [];
      const misnamed = [];
      while (form >= 0) {
        let found = null;
        const here = at;
        const pattern = data.any[form].find((each) => (found = match(each, codes, here)));
        if (!pattern) return null;
        const { groups } = found;
        if (pattern.people.some(([role]) => role === "O") &&
          (groups[pattern.noun] || groups[pattern.noun + 1])) key += NAMED;
        if (!naming(pattern, groups, key, misnamed)) return null;
        [, key] = shapes(pattern, key);
        steps.push([pattern, groups]);
        at = found.end;
        form = pattern.inner;
      }
      for (let depth = steps.length - 1; depth >= 0; depth -= 1) {
        const [pattern, groups] = steps[depth];
        if (!pattern.tail) continue;
        const found = match(pattern.tail, codes, at);
        if (!found) return null;
        naming(pattern.tail, found.groups, key, misnamed);
        steps[depth] = [pattern, [...groups, ...found.groups]];
        at = found.end;
      }
      if (at < codes.length && !sticky(ends, codes, at)) return null;
      return [at, steps, misnamed];
    };
    /* Take in what a clause says; where it ends, or -1 if it can't be read. */
    const clause = (from) => {
      const parsed = parse(from);
      if (!parsed) return -1;
      const [end, steps, misnamed] = parsed;
      if (misnamed.some((owns) => owns)) onTopic = false;
      if (misnamed.some((owns) => !owns)) sense = false;
      const [proposition, words] = steps[steps.length - 1];
      const [feeling, epithet, whose, named, figured] =
        words.slice(proposition.noun, proposition.noun + 5);
      const due = held[LAST];
      if (due && due !== (feeling + named).replace(things, "O")) sense = false;
      const figures = figuresOf(figured);
      const modifiers = figures.map(([pattern]) => pattern.name);
      if (epithet) {
        modifiers.unshift(names.alliteration);
        const name = whose[0] === "Q" ? other : whose[0];
        if (!(data.epithets[name] ?? data.epithets[owner]).includes(epithet)) {
          wrong.add(`${clauses.length} ${names.alliteration}`);
        }
      }
      for (const [pattern, groups] of [...figures, ...steps.slice().reverse()]) {
        if (!judge(pattern, groups, held)) wrong.add(`${clauses.length} ${pattern.name}`);
      }
      clauses.push([steps.map(([pattern]) => pattern.name), modifiers]);
      return end;
    };
    /* Where an unreadable clause ends: at a mark, or a joint before what can be read. */
    const beyond = (from) => {
      sense = false;
      held = held.map(() => null);
      for (let at = from; at < codes.length; at += 1) {
        const mark = sticky(ends, codes, at);
        if (!mark) continue;
        if ([data.stop, data.asks].includes(codes[at]) || parse(at + mark[0].length)) return at;
        at += mark[0].length - 1;
      }
      return codes.length;
    };
    let sentences = 0;
    const sentence = (from) => {
      const opened = sticky(opener, codes, from);
      let at = opened ? opener.lastIndex : from;
      let [count, asks, unread, end] = [0, false, false, at];
      while (true) {
        count += 1;
        end = clause(at);
        if (end < 0) {
          end = beyond(at);
          unread = true;
        } else if (clauses[clauses.length - 1][0][0] === names.question) asks = true;
        if (!sticky(joint, codes, end)) break;
        at = joint.lastIndex;
      }
      if (end === codes.length || (asks !== (codes[end] === data.asks) && !unread)) sense = false;
      if (opened && !sentences) sense = false;
      if ((asks && (opened || count > 1)) || count > data.most_clauses) sense = false;
      sentences += 1;
      return end + 1;
    };
    for (let at = 0; at < codes.length;) at = sentence(at);

    /* For each clause its number in the plan; carriers are matched by what they carry. */
    const carrier = ([own]) => own[own.length - 1] === names.carrier;
    const places = clauses.map(([own]) => {
      const end = own[own.length - 1];
      const at = planned.findIndex(([asked]) => asked[asked.length - 1] === end);
      return end === names.carrier || at < 0 ? null : at;
    });
    const numbers = (list) => list.map((_, i) => i).filter((i) => carrier(list[i]));
    const [carriers, free] = [numbers(clauses), numbers(planned)];
    const shared = (i, j) => new Set(clauses[i].flat().filter((name) => planned[j].flat().includes(name))).size;
    while (carriers.length && free.length) {
      let best = null;
      for (const i of carriers) {
        for (const j of free) if (!best || shared(i, j) > shared(...best)) best = [i, j];
      }
      places[best[0]] = best[1];
      carriers.splice(carriers.indexOf(best[0]), 1);
      free.splice(free.indexOf(best[1]), 1);
    }
    if (carriers.length) sense = false;
    const wanted = new Set([names.carrier, ...planned.flat(2)]);
    const seen = new Set();
    for (const name of clauses.flat(2)) {
      if (!wanted.has(name) || (seen.has(name) && name !== names.carrier)) sense = false;
      seen.add(name);
    }
    const ordered = inOrder(places);
    const shown = new Set();
    clauses.forEach(([own, figures], i) => {
      const at = places[i];
      if (at === null) return;
      const end = own[own.length - 1];
      const kept = ordered.has(at) ? [end] : [];
      if (ordered.has(at) || end !== names.carrier) {
        [own.slice(0, -1), figures].forEach((said, which) => {
          const asked = planned[at][which];
          const ranks = said.map((name) => (asked.includes(name) ? asked.indexOf(name) : null));
          kept.push(...[...inOrder(ranks)].map((rank) => asked[rank]));
        });
      }
      kept.filter((name) => !wrong.has(`${i} ${name}`)).forEach((name) => shown.add(name));
    });
    return [
      ...skills.map((name) => [name, shown.has(name)]),
      ["topic", onTopic],
      ["sense", sense],
      ["length", sentences >= 1 && sentences <= Math.max(1, skills.length - 1)],
    ];
  };
};
