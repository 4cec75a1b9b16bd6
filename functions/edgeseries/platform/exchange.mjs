// An HTTP exchange in one crossing of the border each way: every object that Python looks at costs it a
// proxy, a text costs next to nothing.

export function headOf(request) {
  const { method, url, headers, cf } = request;
  return JSON.stringify([method, url, [...headers], cf?.clientAcceptEncoding ?? null]);
}

export function responseOf(body, init) {
  return new Response(body, JSON.parse(init));
}

/** A WebSocket that sends each server-sent event of a stream as a message, {id, event, job}, and closes at its end. */
export function socketOf(stream, init) {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  sendEvents(stream.getReader(), server);
  return new Response(null, { ...JSON.parse(init), webSocket: client });
}

async function sendEvents(reader, socket) {
  const leave = () => reader.cancel().catch(() => undefined);
  socket.addEventListener("close", leave);
  socket.addEventListener("error", leave);
  const decoder = new TextDecoder();
  let rest = "";
  let last = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
        if (!fields.has("data")) continue;
        last = fields.get("event");
        socket.send(`{"id":${JSON.stringify(fields.get("id"))},"event":${JSON.stringify(last)},"job":${fields.get("data")}}`);
      }
    }
    // 1012: the stream has had its time; the client connects again.
    if (["completed", "failed", "cancelled"].includes(last)) socket.close(1000, last);
    else socket.close(1012, "connect again");
  } catch {
    try {
      socket.close(1011, "the stream broke off");
    } catch {
      // It is closed already.
    }
  }
}

/** All bytes of a stream, or null, and the stream cancelled, if they are more than so many. */
export async function wholeOf(stream, maxBytes) {
  const reader = stream.getReader();
  const pieces = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > maxBytes) {
      await reader.cancel();
      return null;
    }
    pieces.push(value);
  }
  if (pieces.length === 1) return pieces[0];
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
