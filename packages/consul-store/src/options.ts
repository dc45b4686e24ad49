import type { Parsed } from "@primacy/contract";
import type { ConsulOptions } from "./types.js";

/**
 * Reads the variables of Consul's own CLI, and PRIMACY_CONSUL_DATACENTER and PRIMACY_PREFIX. `overrides` win. A
 * problem never quotes a token or a password.
 */
export function consulOptionsFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  overrides: Partial<ConsulOptions> = {},
): Parsed<ConsulOptions> {
  void env;
  void overrides;
  throw new Error("being written");
}
