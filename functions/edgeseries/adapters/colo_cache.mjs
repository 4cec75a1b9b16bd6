// A look for a copy in the location's cache: what stands beside the copy, and its body, which Python only
// passes on. Once it is settled, Python takes both without waiting. A cache that fails is one that misses.
export function look(address, factsHeader) {
  const found = { settled: false, facts: null, body: null };
  found.done = caches.default
    .match(address)
    .then((copy) => {
      found.facts = copy?.headers.get(factsHeader) ?? null;
      found.body = copy?.body ?? null;
    })
    .catch(() => undefined)
    .finally(() => {
      found.settled = true;
    });
  return found;
}
