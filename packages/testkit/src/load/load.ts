import { LoadClient } from "./client.js";
import { Journal, type LoadReport, type LoadSnapshot } from "./journal.js";
import { type LoadOptions, planLoad } from "./options.js";

/** Ids of one client; the next client's begin after them. */
const IDS_PER_CLIENT = 10_000_000;
/** How long a stopped load waits for statements under way, in milliseconds. */
const STOP_GRACE_MS = 5000;

let clientsSoFar = 0;

/** A load that runs. */
export interface Load {
  /** What has happened so far. */
  snapshot(): LoadSnapshot;
  /** Takes no further turns, waits for what is under way, and answers everything that happened. */
  stop(): Promise<LoadReport>;
}

/**
 * Starts clients that write rows with unique ids (and read) through several proxies, and keeps a record of each id. The
 * table must be there (`createLoadTable`). The load ends by itself after `maxDurationMs`, or when a million things have
 * been recorded.
 */
export function startLoad(options: LoadOptions): Load {
  const plan = planLoad(options);
  const journal = new Journal(Date.now());
  const clients = plan.clients.map(({ kind, target }, index) => {
    clientsSoFar += 1;
    return new LoadClient(
      { name: `${kind}-${index + 1}`, kind, target, firstId: clientsSoFar * IDS_PER_CLIENT },
      plan,
      journal,
    );
  });
  const stopAll = () => {
    for (const client of clients) client.stop();
  };
  const limit = setTimeout(stopAll, plan.maxDurationMs);
  const running = Promise.all(clients.map((client) => client.run()));
  const report = running.then(() => journal.report(Date.now()));
  // Who never asks for the report must not be ended by a failure that only it would show.
  report.catch(() => undefined);
  return {
    snapshot: () => journal.snapshot(Date.now()),
    stop: async () => {
      clearTimeout(limit);
      stopAll();
      const grace = setTimeout(() => {
        for (const client of clients) client.abandon();
      }, STOP_GRACE_MS);
      try {
        return await report;
      } finally {
        clearTimeout(grace);
      }
    },
  };
}
