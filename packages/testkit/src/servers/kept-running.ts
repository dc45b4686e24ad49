import { type ProcessExit, type RunningProcess, describeExit } from "../process.js";
import { noteForTheEnd } from "../run-notes.js";

/** How often a server that ends by itself is started again. */
const RESTARTS = 5;

/** A Go program's own words on its end come before the stacks of all its goroutines. */
const LAST_WORDS = /^(panic|fatal error|runtime|==> Error).*(\n.*){0,12}/m;

/**
 * A server as its service manager keeps it: one that ends without being told to is started again on its data
 * (`Restart=on-failure` in the consul.service of Debian's consul 1.8.7), five times at most. That is written down, with
 * its last words, for the last lines of the test run.
 */
export class KeptRunning {
  readonly #launch: () => Promise<RunningProcess>;
  readonly #tell: (line: string) => void;
  #process: RunningProcess | undefined;
  #restarts = 0;
  /** Settles, and never rejects, when the restart that is under way is done. */
  #restart: Promise<void> = Promise.resolve();

  constructor(
    launch: () => Promise<RunningProcess>,
    tell = (line: string): void => noteForTheEnd("unusual.log", line),
  ) {
    this.#launch = launch;
    this.#tell = tell;
  }

  async start(): Promise<void> {
    this.#keep(await this.#launch());
  }

  async stop(): Promise<ProcessExit | undefined> {
    return (await this.#letGo())?.stop();
  }

  async kill9(): Promise<ProcessExit | undefined> {
    return (await this.#letGo())?.kill9();
  }

  suspend(): void {
    this.#process?.suspend();
  }

  resume(): void {
    this.#process?.resume();
  }

  #keep(running: RunningProcess): void {
    this.#process = running;
    void running.exited.then((exit) => {
      if (this.#process === running) this.#restart = this.#startAgain(running, exit);
    });
  }

  /** From here on its end is no surprise. */
  async #letGo(): Promise<RunningProcess | undefined> {
    await this.#restart;
    const running = this.#process;
    this.#process = undefined;
    return running;
  }

  async #startAgain(ended: RunningProcess, exit: ProcessExit): Promise<void> {
    this.#restarts += 1;
    this.#tell(`${ended.name} ended by itself, ${describeExit(exit)}: ${lastWords(ended)}`);
    if (this.#restarts > RESTARTS) return;
    try {
      await this.start();
    } catch (error) {
      this.#tell(`${ended.name} could not be started again: ${String(error)}`);
    }
  }
}

function lastWords(ended: RunningProcess): string {
  return LAST_WORDS.exec(ended.lastOutput(5000))?.[0] ?? ended.lastOutput(8);
}
