import { printable } from "@primacy/contract";
import * as z from "zod";
import { OrchestratorError } from "./error.js";
import type { HttpAnswer } from "./http-get.js";

/** What Orchestrator says when something is wrong: 500 and `{"Code":"ERROR","Message":…}` (3.2.6, go/http/api.go). */
const apiResponse = z.object({ Code: z.string(), Message: z.string() });
/** The envelope of /api/v2 in ProxySQL's fork (go/http/apiv2.go): `data` is left out where it is empty. */
const envelope = z.object({
  status: z.enum(["ok", "error"]),
  data: z.unknown().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});

/** Reads an answer as what it should be. @throws {OrchestratorError} */
export function readAnswer<T>(place: string, answer: HttpAnswer, schema: z.ZodType<T>): T {
  const { status, text } = answer;
  const json = parseJson(text);
  const wrapped = envelope.safeParse(json);
  const said = wrapped.success ? wrapped.data.error?.message : messageIn(json);
  if (status === 401 || status === 403) {
    throw new OrchestratorError("ORCHESTRATOR_DENIED", `${place} denies this (${String(status)})`, status);
  }
  if (said !== undefined)
    throw new OrchestratorError("ORCHESTRATOR_ERROR", `${place}: ${printable(said)}`, status);
  if (status !== 200) {
    throw new OrchestratorError(
      "ORCHESTRATOR_UNEXPECTED_ANSWER",
      `${place} answers ${String(status)}`,
      status,
    );
  }
  if (json === undefined)
    throw new OrchestratorError("ORCHESTRATOR_UNEXPECTED_ANSWER", `${place} answers no JSON`, status);
  const parsed = schema.safeParse(wrapped.success ? (wrapped.data.data ?? null) : json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const what = `${issue?.path.map(String).join(".") ?? ""} ${issue?.message ?? ""}`.trim();
  throw new OrchestratorError(
    "ORCHESTRATOR_UNEXPECTED_ANSWER",
    `${place} does not answer as Orchestrator does: ${what}`,
    status,
  );
}

/** The error's text; undefined where it is none. `Code` is OK on calls that answer a response although all is well. */
function messageIn(json: unknown): string | undefined {
  const parsed = apiResponse.safeParse(json);
  return parsed.success && parsed.data.Code !== "OK" ? parsed.data.Message : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
