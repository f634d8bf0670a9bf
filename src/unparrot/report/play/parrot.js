/* The nearest neighbour, as unparrot.lab.parrots.neighbour: it repeats the text it has read that was
   made for the most similar request. */
const parts = (topic, skills, about) => [
  `topic ${topic}`,
  ...skills.flatMap((skill, i) =>
    [`skill ${skill}`, ...skills.slice(i + 1).map((later) => `skills ${skill} , ${later}`)]),
  ...[...new Set(about.split(" "))].map((word) => `about ${word}`),
];

/* Of texts [topic, about, skills, text], what finds the one to repeat. */
const neighbour = (texts) => {
  const holds = texts.map(([topic, about, skills]) => parts(topic, skills, about));
  const where = new Map();
  holds.forEach((own, i) => own.forEach((part) => {
    if (!where.has(part)) where.set(part, []);
    where.get(part).push(i);
  }));
  const weight = (part) =>
    (where.has(part) ? Math.log1p(texts.length / where.get(part).length) : 0) *
    (part.startsWith("about ") ? 0.1 : 1);
  const norms = holds.map((own) =>
    Math.sqrt(own.reduce((sum, part) => sum + weight(part) ** 2, 0)));
  return (topic, skills, about) => {
    const alike = new Float64Array(texts.length);
    for (const part of parts(topic, skills, about)) {
      for (const i of where.get(part) || []) alike[i] += weight(part) ** 2;
    }
    let best = 0;
    const score = (i) => alike[i] / norms[i];
    for (let i = 1; i < texts.length; i += 1) if (score(i) > score(best)) best = i;
    return texts[best];
  };
};
