/** What `/readyz` tells. */
export interface AgentReadiness {
  readonly ready: boolean;
  readonly agent: string;
  readonly leads: boolean;
  /** Who leads; null where nobody does, or nobody knows. */
  readonly leader: string | null;
  readonly says: string;
  readonly clusters: readonly { readonly cluster: string; readonly held: boolean; readonly says: string }[];
}
