// An HTTP exchange in one crossing of the border each way: every object that Python looks at costs it a
// proxy, a text costs next to nothing.

export function headOf(request) {
  const { method, url, headers, cf } = request;
  return JSON.stringify([method, url, [...headers], cf?.clientAcceptEncoding ?? null]);
}

export function responseOf(body, init) {
  return new Response(body, JSON.parse(init));
}
