// What every story is written with: assertions that print a line each, and a program that ends.

/** A story that takes longer than this is stuck: seconds. */
const LIMIT = 180;

/** Work to be undone when the story ends, newest first. */
const endings = [];

/** Remembers what has to be undone when the story ends, however it ends. */
export function atEnd(undo) {
  endings.push(undo);
}

/** Ends the story with `message` unless `condition` holds; otherwise prints what was seen to hold. */
export function check(condition, text, message = "") {
  if (!condition) {
    throw new Error(`not so: ${text}${message === "" ? "" : `\n  ${message}`}`);
  }
  console.log(`  ok  ${text}`);
}

/** Compares two values as JSON. */
export function equal(actual, expected, text) {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  check(left === right, text, `expected ${right}\n  received ${left}`);
}

/** Looks for `part` in a text. */
export function contains(text, part, what) {
  check(String(text).includes(part), what, `${JSON.stringify(part)} is not in ${JSON.stringify(text)}`);
}

/**
 * Asks `probe` until it answers something other than undefined, and gives up after `seconds`.
 * For things that the outside world does in its own time; a story never just waits.
 */
export async function eventually(what, probe, seconds = 30) {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error(`not within ${seconds} seconds: ${what}`);
    await new Promise((next) => setTimeout(next, 100));
  }
}

/** Runs a story and ends the process: 0 when everything held, 1 otherwise. */
export async function tell(title, story) {
  console.log(title);
  let code = 0;
  try {
    let timer;
    const limit = new Promise((_, late) => {
      timer = setTimeout(() => late(new Error(`not finished after ${LIMIT} seconds`)), LIMIT * 1000);
    });
    await Promise.race([story(), limit]);
    clearTimeout(timer);
  } catch (error) {
    code = 1;
    console.log(`  FAILED  ${error?.stack ?? error}`);
    for (let cause = error?.cause; cause; cause = cause.cause) console.log(`  because ${cause.stack ?? cause}`);
  }
  for (const undo of endings.reverse()) {
    try {
      await undo(code);
    } catch (error) {
      console.log(`  while ending: ${error}`);
    }
  }
  process.exit(code);
}
