/** What became of each test, a line of JSON each; and what tests say, such as how long something took. */

export default async function* reporter(source) {
  for await (const { type, data } of source) {
    if (type === "test:pass" && data.details?.type !== "suite" && data.nesting === 0) yield `${JSON.stringify({ name: data.name, fault: "" })}\n`;
    if (type === "test:fail" && data.nesting === 0) {
      const error = data.details.error?.cause ?? data.details.error;
      yield `${JSON.stringify({ name: data.name, fault: String(error?.stack ?? error?.message ?? error).slice(0, 3000) })}\n`;
    }
    if (type === "test:diagnostic" && /^said: /.test(data.message)) yield `${JSON.stringify({ said: data.message.slice(6) })}\n`;
  }
}
