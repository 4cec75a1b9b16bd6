// An HTTP exchange in one crossing of the border each way: every object that Python looks at costs it a
// proxy, a text costs next to nothing.

export function headOf(request) {
  const { method, url, headers, cf } = request;
  return JSON.stringify([method, url, [...headers], cf?.clientAcceptEncoding ?? null]);
}

export function responseOf(body, init) {
  return new Response(body, JSON.parse(init));
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
