// A copy in the location's cache: what stands beside it, and its body, which Python only passes on.
export async function match(address, factsHeader) {
  const copy = await caches.default.match(address);
  const facts = copy?.headers.get(factsHeader) ?? null;
  return facts === null ? null : { facts, body: copy.body };
}
