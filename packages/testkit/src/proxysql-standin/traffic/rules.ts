/** A row of mysql_query_rules in force, as far as this stand-in follows rules. */
export interface QueryRule {
  readonly id: number;
  readonly username: string | undefined;
  readonly schema: string | undefined;
  readonly flagIn: number;
  readonly matchDigest: RegExp | undefined;
  readonly matchPattern: RegExp | undefined;
  readonly negate: boolean;
  readonly flagOut: number | undefined;
  readonly destinationHostgroup: number | undefined;
  /** Overrides mysql-query_retries_on_failure. */
  readonly retries: number | undefined;
  /** 0: keep the connection from now on; 1: multiplex again; 2: this statement does not count. */
  readonly multiplex: number | undefined;
  readonly errorMessage: string | undefined;
  readonly okMessage: string | undefined;
  readonly apply: boolean;
}

/** What a statement is, as rules see it. */
export interface RoutedStatement {
  readonly user: string;
  readonly schema: string;
  readonly text: string;
  readonly digest: string;
}

/** What the rules say of a statement. */
export interface Verdict {
  readonly destinationHostgroup: number | undefined;
  readonly retries: number | undefined;
  readonly multiplex: number | undefined;
  readonly errorMessage: string | undefined;
  readonly okMessage: string | undefined;
  /** Ids of the rules that matched, in order. */
  readonly hits: readonly number[];
}

type Row = Readonly<Record<string, string | null>>;

/** The rules that LOAD MYSQL QUERY RULES puts in force: the active ones, by rule_id. */
export function parseRules(rows: readonly Row[]): QueryRule[] {
  return rows
    .filter((row) => row["active"] === "1")
    .sort((left, right) => Number(left["rule_id"]) - Number(right["rule_id"]))
    .map((row) => {
      const expression = (column: string): RegExp | undefined => {
        const pattern = row[column] ?? null;
        if (pattern === null) return undefined;
        const caseless = (row["re_modifiers"] ?? "").toUpperCase().includes("CASELESS");
        return new RegExp(pattern, caseless ? "i" : "");
      };
      const number = (column: string): number | undefined =>
        (row[column] ?? null) === null ? undefined : Number(row[column]);
      return {
        id: Number(row["rule_id"]),
        username: row["username"] ?? undefined,
        schema: row["schemaname"] ?? undefined,
        flagIn: Number(row["flagIN"]),
        matchDigest: expression("match_digest"),
        matchPattern: expression("match_pattern"),
        negate: row["negate_match_pattern"] === "1",
        flagOut: number("flagOUT"),
        destinationHostgroup: number("destination_hostgroup"),
        retries: number("retries"),
        multiplex: number("multiplex"),
        errorMessage: row["error_msg"] ?? undefined,
        okMessage: row["OK_msg"] ?? undefined,
        apply: row["apply"] === "1",
      };
    });
}

/** Goes through the rules in order, until one with apply=1 matches; later rules override earlier ones. */
export function applyRules(rules: readonly QueryRule[], statement: RoutedStatement): Verdict {
  let flag = 0;
  let verdict: Verdict = NOTHING;
  for (const rule of rules) {
    if (rule.flagIn !== flag || !matches(rule, statement)) continue;
    verdict = {
      destinationHostgroup: rule.destinationHostgroup ?? verdict.destinationHostgroup,
      retries: rule.retries ?? verdict.retries,
      multiplex: rule.multiplex ?? verdict.multiplex,
      errorMessage: rule.errorMessage ?? verdict.errorMessage,
      okMessage: rule.okMessage ?? verdict.okMessage,
      hits: [...verdict.hits, rule.id],
    };
    if (rule.apply) return verdict;
    flag = rule.flagOut ?? flag;
  }
  return verdict;
}

const NOTHING: Verdict = {
  destinationHostgroup: undefined,
  retries: undefined,
  multiplex: undefined,
  errorMessage: undefined,
  okMessage: undefined,
  hits: [],
};

function matches(rule: QueryRule, statement: RoutedStatement): boolean {
  if (rule.username !== undefined && rule.username !== statement.user) return false;
  if (rule.schema !== undefined && rule.schema !== statement.schema) return false;
  const onDigest = rule.matchDigest?.test(statement.digest);
  if (onDigest !== undefined && onDigest === rule.negate) return false;
  const onText = rule.matchPattern?.test(statement.text);
  return onText === undefined || onText !== rule.negate;
}
