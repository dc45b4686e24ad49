/** What LOAD and SAVE move between the layers. */
export const MODULES = [
  "MYSQL SERVERS",
  "MYSQL USERS",
  "MYSQL QUERY RULES",
  "MYSQL VARIABLES",
  "MYSQL FIREWALL",
  "ADMIN VARIABLES",
  "PROXYSQL SERVERS",
  "SCHEDULER",
  "RESTAPI",
] as const;

export type Module = (typeof MODULES)[number];

/** From where to where. "config" is the configuration file. */
export type Direction =
  "disk to memory" | "memory to disk" | "memory to runtime" | "runtime to memory" | "config to memory";

export interface Move {
  module: Module;
  direction: Direction;
}

/** Each direction has four names, for instance LOAD … FROM MEMORY is LOAD … TO RUNTIME. */
const DIRECTIONS: Readonly<Record<string, Direction>> = {
  "LOAD TO MEMORY": "disk to memory",
  "LOAD TO MEM": "disk to memory",
  "LOAD FROM DISK": "disk to memory",
  "SAVE FROM MEMORY": "memory to disk",
  "SAVE FROM MEM": "memory to disk",
  "SAVE TO DISK": "memory to disk",
  "LOAD FROM MEMORY": "memory to runtime",
  "LOAD FROM MEM": "memory to runtime",
  "LOAD TO RUNTIME": "memory to runtime",
  "LOAD TO RUN": "memory to runtime",
  "SAVE TO MEMORY": "runtime to memory",
  "SAVE TO MEM": "runtime to memory",
  "SAVE FROM RUNTIME": "runtime to memory",
  "SAVE FROM RUN": "runtime to memory",
  "LOAD FROM CONFIG": "config to memory",
};

/** The LOAD or SAVE that `text` (blanks squeezed) is, if it is one; otherwise SQLite gets it and refuses it. */
export function parseMove(text: string): Move | undefined {
  const [, verb, name, where] = /^(LOAD|SAVE) (.+) ((?:TO|FROM) \w+)$/.exec(text.toUpperCase()) ?? [];
  const module = MODULES.find((known) => known === name);
  const direction = DIRECTIONS[`${verb} ${where}`];
  return module && direction && { module, direction };
}
