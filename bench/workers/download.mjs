// The bare Worker that jobs are measured against: it makes the upstream calls of a job, one after the other, parses
// every page, and does nothing else. POST the calls as JSON: {method, url, headers, body}.
export default {
  async fetch(request) {
    if (request.method !== "POST") return new Response(null, { status: 204 });
    let rows = 0;
    for (const { method, url, headers, body } of await request.json()) {
      const reply = await fetch(url, { method, headers, body: body ?? undefined });
      if (!reply.ok) return new Response(`${reply.status} of ${url}\n`, { status: 502 });
      const page = JSON.parse(await reply.text());
      rows += page.point_samples?.length ?? 0;
    }
    return Response.json({ rows });
  },
};
