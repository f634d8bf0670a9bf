/* The theory as numbers, equal to those of unparrot.theory. */

/* Loss in nats a token is E + A N^-alpha + B D^-beta (Hoffmann et al. 2022, eq. 10); excess: without E. */
const HOFFMANN = { A: 406.4, B: 410.7, alpha: 0.34, beta: 0.28 };
const excess = (params, tokens, { A, B, alpha, beta } = HOFFMANN) =>
  A * params ** -alpha + B * tokens ** -beta;

/* Expected isolated vertices of G(n, p), and the limit of the chance of none, p = (ln n + c) / n. */
const isolatedExpected = (n, p) => n * (1 - p) ** (n - 1);
const noneIsolated = (n, p) => Math.exp(-Math.exp(-(n * p - Math.log(n))));

/* P(Binomial(m, alpha) >= hits). */
const upperTail = (hits, m, alpha) => {
  let chance = (1 - alpha) ** m;
  let tail = hits <= 0 ? chance : 0;
  for (let i = 1; i <= m; i += 1) {
    chance *= ((m - i + 1) / i) * (alpha / (1 - alpha));
    if (i >= hits) tail += chance;
  }
  return hits > m ? 0 : tail;
};

/* The share of its texts that the worst alpha of the skills can fail on, where a theta share of the
   texts of k skills fail: the sharp bound. */
const sharp = (theta, alpha, k) => {
  let j = 0;
  while (upperTail(j + 1, k, alpha) > theta) j += 1;
  const above = theta - upperTail(j + 1, k, alpha);
  const bound = upperTail(j, k - 1, alpha) + (j * above) / (k * alpha);
  return Math.min(Math.max(bound, theta), 1, theta / alpha);
};

/* D(c || alpha), in nats. */
const divergence = (c, alpha) =>
  c * Math.log(c / alpha) + (c < 1 ? (1 - c) * Math.log((1 - c) / (1 - alpha)) : 0);

/* The bound of Arora and Goyal (2023), theorem 11; 1 where it says nothing. */
const classic = (theta, alpha, k) => {
  const entropy = -theta * Math.log(theta) - (1 - theta) * Math.log(1 - theta);
  const nats = entropy / (k * theta);
  if (nats > -Math.log(alpha)) return 1;
  let [low, high] = [alpha, 1];
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (divergence(middle, alpha) < nats) low = middle;
    else high = middle;
  }
  return Math.min(1, theta / alpha, Math.max(theta, (theta * low) / alpha));
};

/* The largest theta at which all but an alpha share of the skills fail on at most `failure`; NaN
   where the bound promises that at none. */
const allowed = (bound, failure, alpha, k) => {
  let [low, high] = [failure * alpha, failure];
  if (bound(low, alpha, k) > failure * (1 + 1e-12)) return NaN;
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (bound(middle, alpha, k) <= failure) low = middle;
    else high = middle;
  }
  return low;
};

/* How many skills k' a model can combine that fails a theta share of texts, before rounding down. */
const reach = (theta, allow) => Math.log1p(-allow) / Math.log1p(-theta);
