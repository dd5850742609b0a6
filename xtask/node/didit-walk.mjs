// The steps of the KYC story, and how a client takes them; xtask/interop/python/didit.py does the same in Python.

import { readFile } from "node:fs/promises";

import { check, contains, equal } from "./story.mjs";

const steps = JSON.parse(await readFile(new URL("didit-steps.json", import.meta.url), "utf8"));

/** Tools that are for one's own machine. */
const LOCAL = ["didit_account_register", "didit_org_reveal_application_api_key", "didit_org_top_up"];

/** What is at a JSON pointer, if anything. */
export function at(value, pointer) {
  return pointer
    .split("/")
    .slice(1)
    .reduce((inside, name) => inside?.[name], value);
}

/** Puts what is known in the place of the names in angle brackets. */
function filled(value, known) {
  if (typeof value === "string") {
    return value.replaceAll(/<(\w+)>/g, (_, name) => {
      if (known[name] === undefined) throw new Error(`${name} is not known yet`);
      return known[name];
    });
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, known));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, filled(member, known)]));
  }
  return value;
}

/**
 * Takes every step with one client.
 *
 * Without the spare ones where every request costs the start of a program (`brief`).
 * `person` and `reader` are two connections with `names()` and `call(tool, arguments)`, whose result is that of tools/call.
 */
export async function walk(name, overHttp, { person, reader, brief = false }) {
  const listed = await person.names();
  const missing = steps.map((step) => step.tool).filter((tool) => !listed.includes(tool));
  equal(missing, [], `${name}: the tools of the story are listed`);
  equal(
    LOCAL.filter((tool) => listed.includes(tool)),
    overHttp ? [] : LOCAL,
    `${name}: what opens accounts, shows keys and spends money is listed over stdio only`,
  );
  const known = { name };
  for (const step of steps.filter((one) => !(brief && one.spare))) {
    const result = await (step.as === "reader" ? reader : person).call(step.tool, filled(step.arguments, known));
    const says = `${name}: ${step.says}`;
    const text = (result.content ?? []).map((item) => item.text ?? "").join("\n");
    if (step.refused) {
      check(result.isError === true, says, text);
      for (const part of step.refused) contains(text, part, `${says}: ${part.trim()}`);
      continue;
    }
    check(result.isError !== true, says, text);
    const answer = result.structuredContent;
    for (const [pointer, value] of Object.entries(step.expect ?? {})) {
      equal(at(answer, pointer), filled(value, known), `${says}: ${pointer}`);
    }
    for (const pointer of step.absent ?? []) equal(at(answer, pointer), undefined, `${says}: no ${pointer}`);
    for (const [pointer, row] of Object.entries(step.finds ?? {})) {
      const wanted = Object.entries(filled(row, known));
      const found = at(answer, pointer).some((one) => wanted.every(([member, value]) => one[member] === value));
      check(found, `${says}: in ${pointer}`, text);
    }
    for (const [kept, pointer] of Object.entries(step.keep ?? {})) {
      known[kept] = at(answer, pointer);
      if (known[kept] === undefined) throw new Error(`${says}: nothing at ${pointer} of ${text}`);
    }
  }
}
