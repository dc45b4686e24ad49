import type { Variables } from "../admin/variables.js";
import type { Hostgroups } from "../hostgroups/hostgroups.js";
import type { Backend } from "./backend.js";
import type { QueryRule } from "./rules.js";
import type { User } from "./users.js";

/** What all sessions of the traffic port share. */
export interface Proxy {
  readonly variables: Variables;
  readonly hostgroups: Hostgroups<Backend>;
  readonly log: (line: string) => void;
  users: readonly User[];
  rules: readonly QueryRule[];
}
