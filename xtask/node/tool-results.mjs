// Reads what Didit's tools answer, whether as structured content or as JSON in a text item.

import { check } from "./story.mjs";

/** The value inside a tool result; a tool error ends the story. */
export function value(result, what) {
  const text = (result.content ?? []).map((item) => item.text ?? "").join("\n");
  check(result.isError !== true, `${what} succeeds`, text);
  return result.structuredContent ?? JSON.parse(text);
}

/** The rows of a list answer. */
export function rows(answer) {
  const list = Array.isArray(answer)
    ? answer
    : (answer.value ?? answer.results ?? answer.organizations ?? answer.applications ?? answer.result);
  if (!Array.isArray(list)) throw new Error(`no list in ${JSON.stringify(answer).slice(0, 1000)}`);
  return list;
}

/** A row's id: the first of the members that Didit uses for it. */
export function idOf(row) {
  const id = row.uuid ?? row.id ?? row.organization_id ?? row.application_id;
  if (typeof id !== "string") throw new Error(`no id in ${JSON.stringify(row).slice(0, 1000)}`);
  return id;
}

/** The session's id, by either of its names. */
export function sessionId(row) {
  return row.session_id ?? idOf(row);
}

/** The workflow's id, by either of its names. */
export function workflowId(row) {
  return row.workflow_id ?? idOf(row);
}
