import { needPrivilege } from "../access.js";
import type { Core } from "../core.js";
import type { Session } from "../session.js";
import type { Value } from "../sql/expression.js";
import type { Shown } from "../sql/statement.js";
import { shownVariables } from "../variables.js";
import { type Answer, singleRow } from "./answer.js";

export function show(core: Core, session: Session, what: Shown, like: string | undefined): Answer {
  switch (what) {
    case "slave status": {
      needPrivilege(session, "SUPER", "SLAVE MONITOR");
      const status = core.replica.statusRow();
      return status === undefined
        ? { kind: "rows", columns: ["Slave_IO_State"], rows: [] }
        : singleRow(status);
    }
    case "slave hosts":
      needPrivilege(session, "REPLICATION MASTER ADMIN");
      return slaveHosts(core);
    case "master status": {
      needPrivilege(session, "SUPER", "BINLOG MONITOR");
      const { file, position } = core.log.coordinates;
      return singleRow({ File: file, Position: position, Binlog_Do_DB: "", Binlog_Ignore_DB: "" });
    }
    case "status":
      return pairs([["Uptime", String(uptimeSeconds(core, session))]], like);
    case "variables":
      return pairs(shownVariables(core, session), like);
    case "global variables":
      return pairs(shownVariables(core, undefined), like);
  }
}

function slaveHosts(core: Core): Answer {
  const replicas = [...core.sessions.values()].flatMap(({ replica }) => replica ?? []);
  const rows: Value[][] = replicas.map(({ serverId, host, port }) => [
    serverId,
    host,
    port,
    core.identity.serverId,
  ]);
  return { kind: "rows", columns: ["Server_id", "Host", "Port", "Master_id"], rows };
}

function uptimeSeconds(core: Core, session: Session): number {
  return Math.max(0, Math.floor((session.statementAtMs - core.startedAtMs) / 1000));
}

function pairs(rows: readonly [string, string][], like: string | undefined): Answer {
  const matches = likePattern(like ?? "%");
  return {
    kind: "rows",
    columns: ["Variable_name", "Value"],
    rows: rows.filter(([name]) => matches.test(name)),
  };
}

/** A pattern of LIKE: % is anything, _ one character. */
export function likePattern(like: string): RegExp {
  const parts = like.replaceAll(/\\(.)|[%_]|[^\w\s]/gs, (part: string, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped.replace(/\W/, String.raw`\$&`);
    if (part === "%") return "[\\s\\S]*";
    return part === "_" ? "[\\s\\S]" : `\\${part}`;
  });
  return new RegExp(`^${parts}$`, "i");
}
