// The race of a promise against the clock, run in JavaScript alone: every promise that Python is
// handed costs it a future and two turns of its event loop, and a task that is left waiting when
// time is up would spoil every later event of the isolate.
export class Late extends Error {
  name = "Late";
}

export async function race(promise, timeoutMs) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Late()), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function call(target, verb, timeoutMs, ...values) {
  return race(target[verb](...values), timeoutMs);
}
