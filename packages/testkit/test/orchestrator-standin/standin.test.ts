import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readStandInConfiguration } from "../../src/orchestrator-standin/configuration.js";
import { OrchestratorStandIn } from "../../src/orchestrator-standin/standin.js";
import { freePort } from "../../src/ports.js";

describe("an Orchestrator that knows no server", () => {
  let standIn: OrchestratorStandIn;
  let url: string;

  beforeEach(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/api`;
    const configuration = readStandInConfiguration({
      ListenAddress: `127.0.0.1:${port}`,
      AuthenticationMethod: "basic",
      HTTPAuthUser: "orc",
      HTTPAuthPassword: "p:w",
    });
    standIn = new OrchestratorStandIn(configuration, { log: () => undefined, die: () => undefined });
    await standIn.start();
  });
  afterEach(() => standIn.stop());

  const get = async (path: string, login = "orc:p:w") => {
    const headers = { Authorization: `Basic ${Buffer.from(login).toString("base64")}` };
    const response = await fetch(`${url}/${path}`, { headers });
    return { status: response.status, body: (await response.text()) as string };
  };
  const error = (Message: string) => ({
    status: 500,
    body: JSON.stringify({ Code: "ERROR", Message, Details: null }),
  });

  it("answers those who log in", async () => {
    expect((await fetch(`${url}/leader-check`)).status).toBe(401);
    expect((await get("leader-check", "orc:wrong")).status).toBe(401);
    expect(await get("leader-check")).toEqual({ status: 200, body: '"OK"' });
  });

  it("answers empty lists as Orchestrator does: one of them is null", async () => {
    expect((await get("masters")).body).toBe("null");
    for (const path of ["all-instances", "clusters-info", "clusters", "downtimed", "audit-recovery"]) {
      expect(await get(path)).toEqual({ status: 200, body: "[]" });
    }
  });

  it("says what it does not know", async () => {
    expect(await get("cluster/alias/main")).toEqual(error("No cluster found for alias main"));
    expect(await get("instance/db1/3306")).toEqual(error("Cannot read instance: db1:3306"));
    expect((await get("graceful-master-takeover/main")).status).toBe(500);
    expect((await get("nothing/here")).status).toBe(404);
  });

  it("wants a comment with an acknowledgement", async () => {
    expect(await get("ack-all-recoveries")).toEqual(error("No acknowledge comment given"));
    expect((await get("ack-all-recoveries?comment=seen")).status).toBe(200);
  });

  it("begins downtimes for what it is told, in seconds, minutes, hours", async () => {
    expect((await get("begin-downtime/db1/3306/dba/upgrade/2h")).status).toBe(200);
    expect(await get("begin-downtime/db1/3306/dba/upgrade/soon")).toEqual(
      error("Cannot parse simple time: soon"),
    );
  });
});
