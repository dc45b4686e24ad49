import type { Server } from "node:http";
import { serveHealth } from "@primacy/service";
import { type Logger, destination, pino } from "pino";
import cron from "node-cron";
import { EXIT_CODES, type ExitCode } from "./exit-codes.js";
import { Metrics } from "./metrics.js";
import { OptionsError, type WatcherOptions } from "./options.js";
import { SYSTEM_CLOCK } from "./timing.js";
import { VERSION } from "./version.js";
import { Watcher } from "./watcher.js";

/**
 * Runs until SIGTERM or SIGINT; SIGHUP reads the settings again and starts anew with them. In all cases ProxySQL's
 * layout stays as it is: the watcher going away is no reason to move traffic.
 */
export async function runWatcher(read: () => WatcherOptions): Promise<ExitCode> {
  const options = read();
  const log = logger(options);
  const metrics = new Metrics();
  let watcher = await begin(options, metrics, log);
  const health = await serve(options, () => watcher, metrics, log);
  const ending = new Promise<ExitCode>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      process.once(name, () => {
        log.info({ signal: name }, "stopping; the layout stays as it is");
        resolve(EXIT_CODES.OK);
      });
    }
    const follow = (one: Watcher): void => {
      one.ended().catch((error: unknown) => {
        log.fatal({ err: error }, "a loop ended by an error of its own: please report it as a bug");
        resolve(EXIT_CODES.UNEXPECTED);
      });
    };
    follow(watcher);
    let reloading = Promise.resolve();
    process.on("SIGHUP", () => {
      reloading = reloading.then(async () => {
        watcher = await reload(watcher, read, metrics, log);
        follow(watcher);
      });
    });
  });
  const code = await ending;
  health?.close();
  health?.closeAllConnections();
  await watcher.stop();
  return code;
}

async function begin(options: WatcherOptions, metrics: Metrics, log: Logger): Promise<Watcher> {
  const { clusters, whenOwned } = options;
  log.info({ clusters, whenOwned, version: VERSION, stateDirectory: options.stateDirectory }, "watching");
  const watcher = await Watcher.open(options, metrics, SYSTEM_CLOCK, log);
  watcher.start();
  return watcher;
}

/** Settings that can't be used change nothing: the watcher goes on with those it has. */
async function reload(
  old: Watcher,
  read: () => WatcherOptions,
  metrics: Metrics,
  log: Logger,
): Promise<Watcher> {
  try {
    const options = read();
    log.info({}, "SIGHUP: starting anew with the settings as they are now");
    const next = await begin(options, metrics, log);
    await old.stop();
    await metrics.keepOnly(options.clusters);
    return next;
  } catch (error) {
    log.error({ err: error }, "SIGHUP: the settings can't be used; going on with the old ones");
    return old;
  }
}

async function serve(
  options: WatcherOptions,
  watcher: () => Watcher,
  metrics: Metrics,
  log: Logger,
): Promise<Server | null> {
  if (options.http === null) return null;
  const server = await serveHealth(options.http, watcher, metrics.registry).catch(async (error: unknown) => {
    await watcher().stop();
    throw new OptionsError(`http: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  });
  log.info({ address: server.address() }, "serving /livez, /readyz and /metrics");
  return server;
}

function logger(options: WatcherOptions): Logger {
  const log = pino(
    { level: options.logLevel, base: { name: "primacy-watcher", proxy: options.proxy } },
    destination({ sync: true }),
  );
  // node-cron writes coloured text to the console unless it is given a logger (4.6).
  cron.setLogger({
    info: (message: string) => {
      log.debug(message);
    },
    warn: (message: string) => {
      log.warn(message);
    },
    error: (message: string | Error) => {
      log.error(message);
    },
    debug: (message: string | Error) => {
      log.debug(message);
    },
  });
  return log;
}
