// Stored bytes that are checked against their SHA-256 as they pass, without Python. A small body is
// checked before its first byte leaves; a large one breaks off instead of ending if it was damaged.
import { createHash } from "node:crypto";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// { body, sound }: `body` is null for a small body that is damaged; `sound` tells in the end whether the
// bytes were what they should be. A reader who leaves early has seen no damage.
export async function checked(body, digest, size, smallBytes) {
  if (size <= smallBytes) {
    const bytes = new Uint8Array(await new Response(body).arrayBuffer());
    const sound = sha256(bytes) === digest;
    return { body: sound ? new Response(bytes).body : null, sound: Promise.resolve(sound) };
  }
  return checkedStream(body, digest);
}

function checkedStream(body, digest) {
  const reader = body.getReader();
  const hash = createHash("sha256");
  let settle;
  const sound = new Promise((resolve) => {
    settle = resolve;
  });
  const stream = new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) {
          hash.update(value);
          controller.enqueue(value);
          return;
        }
      } catch (error) {
        settle(true);
        throw error;
      }
      const right = hash.digest("hex") === digest;
      settle(right);
      if (right) {
        controller.close();
      } else {
        controller.error(new Error("the stored bytes are damaged"));
      }
    },
    cancel(reason) {
      settle(true);
      return reader.cancel(reason);
    },
  });
  return { body: stream, sound };
}
