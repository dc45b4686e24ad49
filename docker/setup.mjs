// Sets a new stack up, once: Consul's policies and tokens, the layout, the first record. May be run again.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const ROLES = ["writer", "watcher", "operator"];
const LIMIT_MS = 60_000;

/**
 * Makes a policy and a token for each role.
 *
 * @param {{ address: string, management: string, policies: Record<string, string>, tokens: Record<string, string> }}
 *   input `management` may do everything; rules and secret of each role, by its name
 */
export async function setUpAccess({ address, management, policies, tokens }) {
  const call = async (method, path, body, token = management) => {
    const response = await fetch(`${address}${path}`, {
      method,
      headers: { "X-Consul-Token": token },
      signal: AbortSignal.timeout(5000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { ok: response.ok, status: response.status, text: await response.text() };
  };
  const must = async (method, path, body) => {
    const answer = await call(method, path, body);
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text);
  };
  const known = await must("GET", "/v1/acl/policies");
  for (const role of Object.keys(policies)) {
    const Name = `primacy-${role}`;
    const before = known.find((policy) => policy.Name === Name);
    await must("PUT", before ? `/v1/acl/policy/${before.ID}` : "/v1/acl/policy", {
      Name,
      Rules: policies[role],
    });
    const there = await call("GET", "/v1/acl/token/self", undefined, tokens[role]);
    if (there.ok) continue;
    await must("PUT", "/v1/acl/token", { Description: Name, SecretID: tokens[role], Policies: [{ Name }] });
  }
}

function secret(name) {
  return readFileSync(`/run/secrets/${name}`, "utf8").trim();
}

function writer(...args) {
  const { status } = spawnSync("primacy-writer", args, {
    stdio: "inherit",
    timeout: LIMIT_MS,
    env: { ...process.env, CONSUL_HTTP_TOKEN_FILE: "/run/secrets/consul-operator.token" },
  });
  if (status !== 0) throw new Error(`primacy-writer ${args.join(" ")} ended with ${status}`);
}

async function main() {
  const byRole = (read) => Object.fromEntries(ROLES.map((role) => [role, read(role)]));
  await setUpAccess({
    address: process.env["CONSUL_HTTP_ADDR"],
    management: secret("consul-management.token"),
    policies: byRole((role) => readFileSync(`/primacy/policies/${role}.hcl`, "utf8")),
    tokens: byRole((role) => secret(`consul-${role}.token`)),
  });
  const { stdout } = spawnSync("primacy-writer", ["show"], {
    encoding: "utf8",
    timeout: LIMIT_MS,
    env: { ...process.env, CONSUL_HTTP_TOKEN_FILE: "/run/secrets/consul-operator.token" },
  });
  if (/^main {2}generation/m.test(stdout)) {
    process.stdout.write("there is a record already\n");
    return;
  }
  writer("bootstrap", "main", "--master", "db1:3306", "--layout", "/primacy/layout.yaml", "--yes");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
