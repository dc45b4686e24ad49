import type { MariaDbStandIn } from "../mariadb-standin/standin.js";
import type { ProcessExit } from "../process.js";
import type { DatabaseRunner } from "./database-server.js";

/** Starts a stand-in inside this process. Its data stay with it when it is stopped. */
export async function runMariaDbHere(standIn: MariaDbStandIn, readOnly: boolean): Promise<DatabaseRunner> {
  await standIn.start(readOnly);
  const impossible = (): never => {
    throw new Error("a stand-in inside the test's own process can't be suspended");
  };
  return {
    stop: () => {
      standIn.stop();
      return Promise.resolve<ProcessExit>({ code: 0, signal: null });
    },
    kill9: () => {
      standIn.kill();
      return Promise.resolve<ProcessExit>({ code: null, signal: "SIGKILL" });
    },
    suspend: impossible,
    resume: impossible,
  };
}
