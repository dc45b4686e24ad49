/**
 * - `ORCHESTRATOR_UNREACHABLE`: no connection, or it broke before the answer was complete.
 * - `ORCHESTRATOR_TIMEOUT`: no answer in time.
 * - `ORCHESTRATOR_TLS`: the certificate is not trusted, or the handshake failed.
 * - `ORCHESTRATOR_DENIED`: 401 or 403.
 * - `ORCHESTRATOR_NO_LEADER`: every node answers, or fails to, and none of them leads.
 * - `ORCHESTRATOR_ERROR`: Orchestrator answers with an error of its own; its message is in ours.
 * - `ORCHESTRATOR_UNEXPECTED_ANSWER`: what answers is not Orchestrator as we know it: an HTML page, half an answer, a
 *   list without what a decision needs.
 */
export type OrchestratorErrorCode =
  | "ORCHESTRATOR_UNREACHABLE"
  | "ORCHESTRATOR_TIMEOUT"
  | "ORCHESTRATOR_TLS"
  | "ORCHESTRATOR_DENIED"
  | "ORCHESTRATOR_NO_LEADER"
  | "ORCHESTRATOR_ERROR"
  | "ORCHESTRATOR_UNEXPECTED_ANSWER";

/** Whatever goes wrong between the agent and Orchestrator. Never contains a password or a token. */
export class OrchestratorError extends Error {
  override readonly name = "OrchestratorError";

  constructor(
    readonly code: OrchestratorErrorCode,
    message: string,
    /** HTTP status, where there was an answer. */
    readonly status?: number,
  ) {
    super(message);
  }
}
