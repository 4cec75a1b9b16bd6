// The bare Worker that answers are measured against: it streams one object of the bucket, and does
// nothing else. No log line, no record, no look at the request but its path. With `?limited` it
// first asks the rate limiter that the router asks, which tells what that costs on this machine. With `?plain` the
// object is text as it is, else it is brotli's.
const PREFIX = "/bare/";

export default {
  async fetch(request, env) {
    const { pathname, search } = new URL(request.url);
    if (pathname === PREFIX) return new Response(null, { status: 204 });
    if (search === "?limited") await env.RATE_STANDARD.limit({ key: "bare" });
    const object = await env.CACHE.get(decodeURIComponent(pathname.slice(PREFIX.length)));
    if (object === null) return new Response("no such object\n", { status: 404 });
    const coding = search === "?plain" ? {} : { "Content-Encoding": "br" };
    const headers = { "Content-Type": "application/json", ...coding, ETag: object.httpEtag };
    return new Response(object.body, { headers, encodeBody: "manual" });
  },
};
