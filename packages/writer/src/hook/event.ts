import {
  type CauseKind,
  type HookEvent,
  type Parsed,
  type Server,
  formatServer,
  makeServer,
  printable,
  recoveryBeganAt,
  sameServer,
} from "@primacy/contract";
import { type ClusterNames, clusterOf } from "./cluster.js";
import {
  HOOK_FIELDS,
  type HookEnvironment,
  type HookField,
  fieldName,
  isTakeMasterEnvironment,
} from "./environment.js";
import type { Hook } from "./name.js";

/** What a call of a hook means. Servers are named as Orchestrator names them. */
export type HookOutcome =
  | { readonly kind: "event"; readonly cluster: string; readonly event: HookEvent }
  | { readonly kind: "ignored"; readonly reason: string }
  | { readonly kind: "problem"; readonly problems: readonly string[] };

const MEANING: Record<Hook, HookEvent["kind"] | { readonly ignored: string }> = {
  OnFailureDetection: { ignored: "a detection changes nothing yet" },
  PreGracefulTakeover: "drain",
  PreFailover: "fence",
  PostMasterFailover: "open",
  PostIntermediateMasterFailover: { ignored: "an intermediate master is not the cluster's master" },
  PostFailover: "open",
  PostUnsuccessfulFailover: "abort",
  PostGracefulTakeover: "open",
  PostTakeMaster: { ignored: "taking a master is a step inside a recovery, which has hooks of its own" },
};

/**
 * Recoveries of a master, by Orchestrator's analysis code (3.2.6, go/inst/analysis.go): DeadMaster,
 * DeadMasterAndSomeReplicas, DeadCoMaster, DeadCoMasterAndSomeReplicas. Every other recovery that runs hooks
 * (intermediate masters, group members, semi-sync, NoWriteableMaster) names a "successor" that is no new master.
 * A graceful or forced takeover always says DeadMaster. ORC_INSTANCE_TYPE and ORC_IS_MASTER are no help: both are
 * wrong where a forced takeover found no analysis.
 */
const MASTER_FAILURE = /^Dead(?:Co)?Master/;

/** What a hook's call means: by hook, failure type, command and successor; never by ORC_IS_SUCCESSFUL alone. Pure. */
export function hookEvent(hook: Hook, environment: HookEnvironment, names: ClusterNames): HookOutcome {
  const meaning = MEANING[hook];
  if (typeof meaning !== "string") return { kind: "ignored", reason: `${hook}: ${meaning.ignored}` };
  if (isTakeMasterEnvironment(environment)) {
    return {
      kind: "ignored",
      reason: "this is PostTakeMasterProcesses' environment, a step inside a recovery",
    };
  }
  const { failureType } = environment;
  if (failureType !== "" && !MASTER_FAILURE.test(failureType)) {
    return { kind: "ignored", reason: `${printable(failureType)} is not the failure of a master` };
  }
  const problems = textProblems(environment);
  const take = <T>(parsed: Parsed<T>, what = ""): T | undefined => {
    if (parsed.ok) return parsed.value;
    problems.push(`${what}${parsed.problem}`);
    return undefined;
  };
  const cluster = take(clusterOf(environment.clusterAlias, names), `${fieldName("clusterAlias")}: `);
  const outgoing = take(server(environment, "failedHost", "failedPort"));
  const successor = needsSuccessor(meaning, environment)
    ? take(server(environment, "successorHost", "successorPort"))
    : null;
  if (meaning === "open") problems.push(...successProblems(environment, outgoing, successor));
  const event =
    outgoing === undefined || successor === undefined
      ? undefined
      : makeEvent(meaning, environment, outgoing, successor);
  if (problems.length > 0 || cluster === undefined || event === undefined) {
    return { kind: "problem", problems };
  }
  return { kind: "event", cluster, event };
}

function makeEvent(
  kind: HookEvent["kind"],
  environment: HookEnvironment,
  outgoing: Server,
  successor: Server | null,
): HookEvent | undefined {
  const { failureType, recoveryUid, command } = environment;
  const origin = {
    outgoing,
    cause: { kind: causeKind(kind, command), failureType, recoveryUid, command },
    beganAt: recoveryBeganAt(recoveryUid),
  };
  if (kind === "open") return successor === null ? undefined : { kind, successor, ...origin };
  if (kind === "drain") return { kind, successor, ...origin };
  return { kind, ...origin };
}

/** The command is the only thing that tells a planned takeover from a failure (openark/orchestrator#579). */
function causeKind(kind: HookEvent["kind"], command: string): CauseKind {
  if (kind === "abort") return "failover-failed";
  if (command.startsWith("graceful-master-takeover")) return "graceful-takeover";
  if (command.startsWith("force-master-")) return "forced-takeover";
  return kind === "drain" ? "graceful-takeover" : "dead-master";
}

/** A drain may name its successor, an opening must. The others have none, whatever was inherited in the environment. */
function needsSuccessor(kind: HookEvent["kind"], environment: HookEnvironment): boolean {
  if (kind === "open") return true;
  return kind === "drain" && (environment.successorHost !== "" || environment.successorPort !== "");
}

function server(environment: HookEnvironment, hostField: HookField, portField: HookField): Parsed<Server> {
  const missing = [hostField, portField].filter((field) => environment[field] === "");
  if (missing.length > 0) {
    return {
      ok: false,
      problem: `${missing.map(fieldName).join(" and ")} ${missing.length > 1 ? "are" : "is"} missing`,
    };
  }
  const port = environment[portField];
  if (!/^\d{1,5}$/.test(port)) {
    return { ok: false, problem: `${fieldName(portField)}: "${printable(port)}" is not a port` };
  }
  const made = makeServer(environment[hostField], Number(port));
  return made.ok ? made : { ok: false, problem: `${fieldName(hostField)}: ${made.problem}` };
}

function successProblems(
  environment: HookEnvironment,
  outgoing: Server | undefined,
  successor: Server | null | undefined,
): string[] {
  const problems: string[] = [];
  if (environment.isSuccessful.toLowerCase() === "false") {
    problems.push(`${fieldName("isSuccessful")} is "false" where a successor must have been promoted`);
  }
  if (outgoing !== undefined && sameServer(outgoing, successor)) {
    problems.push(`the successor is the failed server itself, ${formatServer(outgoing)}`);
  }
  return problems;
}

/** What becomes part of the record as it is: one line of bounded length. */
function textProblems(environment: HookEnvironment): string[] {
  const problems = environment.failureType === "" ? [`${fieldName("failureType")} is missing`] : [];
  for (const field of ["failureType", "command", "recoveryUid"] as const) {
    const text = environment[field];
    if (text.length > 200)
      problems.push(`${HOOK_FIELDS[field].variable} has ${String(text.length)} characters`);
    // eslint-disable-next-line no-control-regex
    else if (/[\u0000-\u001f\u007f]/.test(text)) {
      problems.push(`${HOOK_FIELDS[field].variable} has control characters: "${printable(text)}"`);
    }
  }
  return problems;
}
