/* A model of the lab, as unparrot.lab.training.model computes it, in double precision: RMSNorm,
   rotary positions, SwiGLU, tied embeddings; one token at a time, with a cache of keys and values. */
const NORM_EPS = 1e-5;
const ROPE_THETA = 10000;

/* float16, little-endian, in letters of base64, as numbers. */
const halves = (letters) => {
  const raw = atob(letters);
  const out = new Float32Array(raw.length / 2);
  for (let i = 0; i < out.length; i += 1) {
    const bits = raw.charCodeAt(2 * i) | (raw.charCodeAt(2 * i + 1) << 8);
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
    out[i] = bits & 0x8000 ? -size : size;
  }
  return out;
};

const normed = (x) => {
  let squares = 0;
  for (const value of x) squares += value * value;
  const scale = 1 / Math.sqrt(squares / x.length + NORM_EPS);
  return x.map((value) => value * scale);
};

/* The rows of a matrix, as they lie one after another, times a vector. */
const times = (matrix, x) => {
  const width = x.length;
  const out = new Float64Array(matrix.length / width);
  for (let row = 0, at = 0; row < out.length; row += 1) {
    let sum = 0;
    for (let i = 0; i < width; i += 1, at += 1) sum += matrix[at] * x[i];
    out[row] = sum;
  }
  return out;
};

const unpacked = ({ name, params, width, layers, heads, hidden, weights }, vocabulary) => {
  const all = halves(weights);
  let at = 0;
  const take = (size) => all.subarray(at, (at += size));
  const embedding = take(vocabulary * width);
  const stack = Array.from({ length: layers }, () => ({
    qkv: take(3 * width * width),
    out: take(width * width),
    gateUp: take(2 * hidden * width),
    down: take(width * hidden),
  }));
  return { name, params, width, heads, hidden, embedding, stack, gain: take(width) };
};

/* What reads one token after another and scores the next. */
const reader = (model) => {
  const { width, heads, hidden, embedding, stack, gain } = model;
  const size = width / heads;
  const cache = stack.map(() => ({ keys: [], values: [] }));
  const fround = Math.fround; /* angles are float32, as in training */
  const powers = Array.from({ length: size / 2 }, (_, i) =>
    fround(ROPE_THETA ** fround((2 * i) / size)));
  const turned = (x, turns) => {
    for (let start = 0; start < width; start += size) {
      for (let i = 0; i < size / 2; i += 1) {
        const [cos, sin] = turns[i];
        const [a, b] = [x[start + i], x[start + size / 2 + i]];
        x[start + i] = a * cos - b * sin;
        x[start + size / 2 + i] = b * cos + a * sin;
      }
    }
    return x;
  };
  const attended = ({ keys, values }, query) => {
    const out = new Float64Array(width);
    for (let start = 0; start < width; start += size) {
      const scores = keys.map((key) => {
        let sum = 0;
        for (let i = start; i < start + size; i += 1) sum += query[i] * key[i];
        return sum / Math.sqrt(size);
      });
      const top = Math.max(...scores);
      const chances = scores.map((score) => Math.exp(score - top));
      const total = chances.reduce((sum, chance) => sum + chance, 0);
      chances.forEach((chance, place) => {
        const share = chance / total;
        const value = values[place];
        for (let i = start; i < start + size; i += 1) out[i] += share * value[i];
      });
    }
    return out;
  };
  const read = (token) => {
    const angles = powers.map((power) => fround(cache[0].keys.length / power));
    const turns = angles.map((angle) => [fround(Math.cos(angle)), fround(Math.sin(angle))]);
    const x = Float64Array.from(embedding.subarray(token * width, (token + 1) * width));
    stack.forEach((layer, n) => {
      const qkv = times(layer.qkv, normed(x));
      const query = turned(qkv.slice(0, width), turns);
      cache[n].keys.push(turned(qkv.slice(width, 2 * width), turns));
      cache[n].values.push(qkv.slice(2 * width));
      times(layer.out, attended(cache[n], query)).forEach((value, i) => { x[i] += value; });
      const gates = times(layer.gateUp, normed(x));
      const inner = gates.slice(hidden);
      for (let i = 0; i < hidden; i += 1) inner[i] *= gates[i] / (1 + Math.exp(-gates[i]));
      times(layer.down, inner).forEach((value, i) => { x[i] += value; });
    });
    return x;
  };
  return { read, scores: (x) => times(embedding, normed(x).map((value, i) => value * gain[i])) };
};

/* The likeliest token, and the next, until `end` or for `most` tokens. */
const continued = (model, prompt, most, end) => {
  const { read, scores } = reader(model);
  const tokens = [];
  let x = null;
  for (const token of prompt) x = read(token);
  while (tokens.length < most) {
    const every = scores(x);
    let best = 0;
    for (let i = 1; i < every.length; i += 1) if (every[i] > every[best]) best = i;
    if (best === end) break;
    tokens.push(best);
    x = read(best);
  }
  return tokens;
};
