import type { Roster } from "@primacy/consul-store";
import type { MasterRecord } from "@primacy/contract";

export interface ProxyStatus {
  readonly proxy: string;
  /** The generation that it has applied. */
  readonly generation: number;
  /** Why it is not where the record is; null where it is. */
  readonly behind: string | null;
}

/** The proxies whose watcher lives, and whether each is where the record is; none where `roster` is not known. Pure. */
export function proxiesOf(
  record: MasterRecord,
  roster: Pick<Roster, "acknowledgements"> | null,
): readonly ProxyStatus[] {
  return (roster?.acknowledgements ?? [])
    .filter((one) => one.sessionId !== null)
    .map(({ proxy, document }): ProxyStatus => {
      if (document.kind !== "valid")
        return { proxy, generation: 0, behind: "its acknowledgement can't be read" };
      const said = document.value;
      const generation = said.appliedGeneration;
      if (said.state === "refused" || said.state === "failing") {
        return { proxy, generation, behind: `${said.state}: ${said.reason ?? ""}` };
      }
      if (said.incarnation !== record.incarnation)
        return { proxy, generation, behind: "follows another history" };
      const behind = said.generation < record.generation ? `at generation ${String(said.generation)}` : null;
      return { proxy, generation, behind };
    });
}
