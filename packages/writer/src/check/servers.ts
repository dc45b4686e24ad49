import {
  type Layout,
  type MasterRecord,
  type Server,
  formatServer,
  isCandidate,
  sameServer,
} from "@primacy/contract";
import { isWritable } from "../database/dialect.js";
import { type DatabaseContext, databaseProblem, reach, statementLimit } from "../database/server.js";
import type { CheckFinding } from "./findings.js";
import { GRANTS_STATEMENT, type Grants, missingPrivileges, readGrants } from "./privileges.js";
import type { Privileges } from "../database/dialect.js";

/** What was seen on a candidate. */
export type ServerLook =
  /** `problem` names the server. */
  | { readonly kind: "problem"; readonly server: Server; readonly problem: string }
  | {
      readonly kind: "reached";
      readonly server: Server;
      /** "MariaDB 10.11.14" */
      readonly name: string;
      readonly writable: boolean;
      readonly needs: Privileges;
      readonly grants: Grants;
    };

/** Goes to every candidate, all at once. Never rejects for what a database does. */
export async function lookAtServers(
  layout: Layout,
  deadline: number,
  context: DatabaseContext,
): Promise<readonly ServerLook[]> {
  const candidates = layout.servers.filter((one) => isCandidate(layout, one));
  return await Promise.all(candidates.map(async ({ host, port }) => look({ host, port }, deadline, context)));
}

async function look(server: Server, deadline: number, context: DatabaseContext): Promise<ServerLook> {
  try {
    const { session, dialect, variables } = await reach(server, deadline, context);
    try {
      const rows = await session.query(GRANTS_STATEMENT, statementLimit(deadline, context));
      const grants = readGrants(rows);
      const { name, privileges } = dialect;
      return { kind: "reached", server, name, writable: isWritable(variables), needs: privileges, grants };
    } finally {
      session.close();
    }
  } catch (error) {
    return { kind: "problem", server, problem: databaseProblem(error) };
  }
}

/** What is to be said of the candidates. Pure. */
export function serverFindings(
  looks: readonly ServerLook[],
  record: MasterRecord,
  layout: Layout,
): readonly CheckFinding[] {
  return looks.flatMap((seen) => {
    const where = formatServer(seen.server);
    if (seen.kind === "problem") {
      const remedy = "The server, its firewall, or the login (docs/old-master.md).";
      return [{ check: "server-not-reached", says: seen.problem, remedy }];
    }
    return [...privilegeFindings(where, seen, layout), ...writableFindings(where, seen, record)];
  });
}

type Reached = Extract<ServerLook, { kind: "reached" }>;

/** Of one candidate. Pure. */
export function privilegeFindings(where: string, seen: Reached, layout: Layout): readonly CheckFinding[] {
  const missing = missingPrivileges(seen.needs, seen.grants, layout.openedBy === "primacy");
  if (missing.length === 0) return [];
  const says = `${where} (${seen.name}): ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not granted`;
  const remedy = `GRANT ${missing.join(", ")} ON *.* TO the writer's user (docs/old-master.md).`;
  if (!seen.grants.hasRoles) return [{ check: "privileges-missing", says, remedy }];
  return [{ check: "privileges-by-role", says: `${says} directly; roles may have more`, remedy }];
}

function writableFindings(where: string, seen: Reached, record: MasterRecord): readonly CheckFinding[] {
  if (record.phase !== "open") return [];
  const isMaster = sameServer(seen.server, record.master);
  if (isMaster === seen.writable) return [];
  return isMaster
    ? [
        {
          check: "master-read-only",
          says: `${where} is the master, and read-only`,
          remedy: "Orchestrator says who the master is; SET GLOBAL read_only=0 there if it is this one.",
        },
      ]
    : [
        {
          check: "another-writable",
          says: `${where} is not the master, and writable`,
          remedy: `SET GLOBAL read_only=1 on ${where}.`,
        },
      ];
}
