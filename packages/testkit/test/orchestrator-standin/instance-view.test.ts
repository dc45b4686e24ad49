import { describe, expect, it } from "vitest";
import type { Instance } from "../../src/orchestrator-standin/instance.js";
import {
  type Downtime,
  instanceView,
  type KnownServer,
} from "../../src/orchestrator-standin/instance-view.js";
import { recordedAnswer } from "./recordings.js";

type Recorded = Instance & {
  LastSeenTimestamp: string;
  IsLastCheckValid: boolean;
  SecondsSinceLastSeen: { Int64: number };
  IsDowntimed: boolean;
  DowntimeReason: string;
  DowntimeOwner: string;
  DowntimeEndTimestamp: string;
  ElapsedDowntime: number;
  IsUpToDate: boolean;
};

const utc = (text: string) => Date.parse(`${text.replace(" ", "T").replace("Z", "")}Z`);

/** What the real Orchestrator knew when it gave this answer. */
function knowledge(recorded: Recorded): {
  server: KnownServer;
  nowMs: number;
  downtime: Downtime | undefined;
} {
  const seenAtMs = utc(recorded.LastSeenTimestamp);
  const nowMs = seenAtMs + recorded.SecondsSinceLastSeen.Int64 * 1000;
  // A dead server is checked all the same; the recorded one was due.
  const checkedAtMs = recorded.IsLastCheckValid ? seenAtMs : nowMs - (recorded.IsUpToDate ? 1000 : 2000);
  const downtime = {
    owner: recorded.DowntimeOwner,
    reason: recorded.DowntimeReason,
    beginsAtMs: nowMs - recorded.ElapsedDowntime / 1e6,
    endsAtMs: recorded.IsDowntimed ? utc(recorded.DowntimeEndTimestamp) : 0,
  };
  const server = { instance: recorded, seenAtMs, checkedAtMs, attemptedAtMs: seenAtMs, partialSuccess: true };
  return { server, nowMs, downtime: recorded.IsDowntimed ? downtime : undefined };
}

describe.each(["healthy", "after-dead-master", "old-master-returned-writable"])(
  "all-instances, %s",
  (situation) => {
    const recorded = recordedAnswer(situation, "all-instances") as Recorded[];

    it.each(recorded.map((one): [number, Recorded] => [one.Key.Port, one]))(
      "of %i is as recorded",
      (_port, one) => {
        const { server, nowMs, downtime } = knowledge(one);
        const view = instanceView(server, {
          nowMs,
          instancePollSeconds: 1,
          reasonableLagSeconds: 10,
          downtime,
        });
        expect(view).toEqual(one);
        expect(Object.keys(view)).toEqual(Object.keys(one));
      },
    );
  },
);
