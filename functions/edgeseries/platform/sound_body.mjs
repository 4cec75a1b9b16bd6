// Stored bytes that are checked against their SHA-256 as they pass, without Python. A small body is
// checked before its first byte leaves; a large one breaks off instead of ending if it was damaged.
import { createHash } from "node:crypto";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// Damaged bodies that were found while they passed and that were not reported yet. Found in one event and
// reported in a later one: Python may not wait for the end of a stream that perhaps nobody reads.
let damaged = 0;

// `body` is null for a small body that is damaged. `earlier` are those that were found before, since it was
// asked last. `drop` is what to take out if a large one proves damaged: { bucket, key, address }. With
// `headers` the body is copied to the location's cache under the address while it passes, as `copying` says.
export async function checked(body, digest, size, smallBytes, drop, headers) {
  const earlier = damaged;
  damaged = 0;
  let sound = null;
  let isSound = Promise.resolve(true);
  if (size > smallBytes) {
    isSound = new Promise((resolve) => {
      sound = checkedStream(body, digest, drop, resolve);
    });
  } else {
    const bytes = new Uint8Array(await new Response(body).arrayBuffer());
    sound = sha256(bytes) === digest ? new Response(bytes).body : null;
  }
  if (sound === null || !headers) {
    return { body: sound, earlier, copying: Promise.resolve() };
  }
  const [passed, copy] = sound.tee();
  return { body: passed, earlier, copying: copied(copy, drop.address, headers, isSound) };
}

// Never fails. A cache may keep what came of a stream that broke off: whether it did is not asked.
async function copied(body, address, headers, isSound) {
  await Promise.allSettled([caches.default.put(address, new Response(body, { headers }))]);
  if (!(await isSound)) {
    await Promise.allSettled([caches.default.delete(address)]);
  }
}

function checkedStream(body, digest, { bucket, key, address }, reportSound) {
  const reader = body.getReader();
  const hash = createHash("sha256");
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) {
        hash.update(value);
        controller.enqueue(value);
      } else if (hash.digest("hex") === digest) {
        reportSound(true);
        controller.close();
      } else {
        damaged += 1;
        reportSound(false);
        // While the stream is open the event lives, so that this comes to its end.
        await Promise.allSettled([bucket?.delete(key), caches.default.delete(address)]);
        controller.error(new Error("the stored bytes are damaged"));
      }
    },
    cancel(reason) {
      reportSound(true);
      return reader.cancel(reason);
    },
  });
}
