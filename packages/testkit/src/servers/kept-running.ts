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

  constructor(
    launch: () => Promise<RunningProcess>,
    tell = (line: string): void => noteForTheEnd("ended.log", line),
  ) {
    this.#launch = launch;
    this.#tell = tell;
  }

  async start(): Promise<void> {
    this.#keep(await this.#launch());
  }

  async stop(): Promise<ProcessExit | undefined> {
    return this.#letGo()?.stop();
  }

  async kill9(): Promise<ProcessExit | undefined> {
    return this.#letGo()?.kill9();
  }

  suspend(): void {
    this.#process?.suspend();
  }

  resume(): void {
    this.#process?.resume();
  }

  #keep(running: RunningProcess): void {
    this.#process = running;
    void running.exited.then((exit) => this.#ended(running, exit));
  }

  /** From here on its end is no surprise. */
  #letGo(): RunningProcess | undefined {
    const running = this.#process;
    this.#process = undefined;
    return running;
  }

  async #ended(running: RunningProcess, exit: ProcessExit): Promise<void> {
    if (this.#process !== running) return;
    this.#restarts += 1;
    const output = running.lastOutput(5000);
    this.#tell(
      `${running.name}, ${describeExit(exit)}: ${LAST_WORDS.exec(output)?.[0] ?? running.lastOutput(8)}`,
    );
    if (this.#restarts > RESTARTS) return;
    try {
      const again = await this.#launch();
      if (this.#process === running) this.#keep(again);
      else await again.kill9();
    } catch (error) {
      this.#tell(`${running.name} could not be started again: ${String(error)}`);
    }
  }
}
