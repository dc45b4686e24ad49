import type { Checksums } from "./admin/checksums.js";
import type { Layers } from "./admin/layers.js";
import type { Variables } from "./admin/variables.js";
import type { Hostgroups } from "./hostgroups/hostgroups.js";
import type { Scheduler } from "./scheduler/scheduler.js";
import type { Backend } from "./traffic/backend.js";
import type { TrafficPort } from "./traffic/port.js";
import type { Proxy } from "./traffic/proxy.js";

type Row = Readonly<Record<string, string | null>>;

/** The parts of a stand-in, which the admin port reads and changes. */
export interface Core {
  readonly layers: Layers;
  readonly variables: Variables;
  readonly checksums: Checksums;
  readonly hostgroups: Hostgroups<Backend>;
  readonly proxy: Proxy;
  readonly traffic: TrafficPort;
  readonly scheduler: Scheduler;
  /** Rows in force of the tables that nothing here acts on, by name without "runtime_". */
  readonly inForce: Map<string, readonly Row[]>;
  readonly monitorCounters: { readOnlyOk: number; readOnlyErr: number; pingOk: number; pingErr: number };
  /** Unix milliseconds of the start. */
  readonly startedAt: number;
  /** Ends the process ("exit"), or lets it die by a signal ("crash"). */
  readonly end: (how: "exit" | "crash") => void;
  /** Opens the listener for the applications again after a PAUSE. */
  readonly resume: () => Promise<void>;
}
