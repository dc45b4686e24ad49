import { type ClusterEvent, type Layout, type Server, canonicalServer } from "@primacy/contract";

/** The event with every server under the name by which proxies know it. Pure. */
export function canonicalEvent(event: ClusterEvent, layout: Layout | undefined): ClusterEvent {
  const name = (server: Server) => canonicalServer(layout, server);
  switch (event.kind) {
    case "open":
      return { ...event, outgoing: name(event.outgoing), successor: name(event.successor) };
    case "drain":
      return {
        ...event,
        outgoing: name(event.outgoing),
        successor: event.successor === null ? null : name(event.successor),
      };
    case "fence":
    case "abort":
      return { ...event, outgoing: name(event.outgoing) };
    case "bootstrap":
    case "set":
      return { ...event, master: name(event.master) };
    case "readmit":
      return { ...event, server: name(event.server) };
  }
}

/**
 * The event, begun no later than now. A recovery's id carries the clock of the machine that ran it: a beginning in the
 * future would make every later event look stale.
 */
export function begunByNow(event: ClusterEvent, now: string): ClusterEvent {
  const { beganAt } = event;
  return beganAt !== null && Date.parse(beganAt) > Date.parse(now) ? { ...event, beganAt: now } : event;
}
