import { exitCodesHelp, settingsHelp } from "./help-settings.js";

/** The commands and, of each, what its own page of help says. */
export const HELP = {
  hook: `primacy-writer hook <HookName> [flags]

What Orchestrator calls. Reads the hook's variables (ORC_…), writes what they
mean into the cluster's record, and ends within its deadline; where Consul can't
be reached, a change of master waits on disk instead. The same event twice is
the same as once. In Orchestrator's configuration:

  "PostMasterFailoverProcesses": [
    "/usr/local/bin/primacy-writer hook PostMasterFailover --config /etc/primacy/writer.yaml"
  ]

and likewise PostUnsuccessfulFailover and PostGracefulTakeover; with an agent,
to drain and fence, also PreGracefulTakeover and PreFailover (docs/phases.md).

No pipe and no "&" behind it: both hide the exit code. A Pre hook that can't do
its part ends with 0, because any other code stops the failover and blocks the
next; --on-failure stop chooses that.

  --cluster NAME           our name of the cluster, whatever Orchestrator's
                           alias says
  --failure-type, --command, --failed-host, --failed-port, --successor-host,
  --successor-port, --cluster-alias, --recovery-uid, --is-successful
                           for whoever prefers placeholders (--failed-host
                           '{failedHost}'); a placeholder that Orchestrator
                           leaves standing counts as absent`,
  flush: `primacy-writer flush [--cluster NAME] [flags]

Delivers what waits on disk, oldest first. What has become stale or contradicts
the record moves to refused/ in the spool's folder, with the reason; what can't
be delivered yet stays. Fit for cron: nothing to do is 0.

  primacy-writer flush --config /etc/primacy/writer.yaml
  primacy-writer flush --cluster main --spool /var/lib/primacy/spool`,
  bootstrap: `primacy-writer bootstrap <cluster> --master host:port | --orchestrator URL
    [--layout FILE] [--yes]

Writes a cluster's first record, after showing it. The cluster needs a layout:
the one in Consul, or --layout.

  primacy-writer bootstrap main --master db1:3306 --layout main.yaml
  primacy-writer bootstrap main --orchestrator http://orchestrator:3000 --yes

  --master HOST:PORT       who is the master now
  --orchestrator URL       ask Orchestrator, and believe it only where it is
                           sure: one root, checked validly and recently, not
                           downtimed, writable, and nobody else who claims the
                           same
  --alias NAME             how Orchestrator calls the cluster, where it is not
                           the same name
  --layout FILE            also write this layout
  --yes                    don't ask`,
  layout: `primacy-writer layout apply <file> [--yes]
primacy-writer layout show <cluster> [--json]

The layout says which servers and hostgroups a cluster has. apply checks a YAML
or JSON file, shows what would change, and writes it unless somebody else has
changed it meanwhile. A layout without the present master is refused.

  primacy-writer layout show main > main.yaml
  primacy-writer layout apply main.yaml

  --yes                    don't ask`,
  set: `primacy-writer set <cluster> --master host:port [--generation N --yes]

An operator names the master, against whatever the record says. Nothing happens
to the servers themselves.

  primacy-writer set main --master db2:3306
  primacy-writer set main --master db2:3306 --generation 42 --yes

  --generation N           the generation that you have seen: if the record has
                           moved on, nothing is written
  --yes                    don't ask; needs --generation`,
  readmit: `primacy-writer readmit <cluster> --server host:port [--generation N --yes]

Lets a former master out of quarantine: it may serve reads again.

  primacy-writer readmit main --server db1:3306
  primacy-writer readmit main --server db1:3306 --generation 42 --yes

  --generation N           the generation that you have seen: if the record has
                           moved on, nothing is written
  --yes                    don't ask; needs --generation`,
  show: `primacy-writer show [<cluster>] [--json]

The record of a cluster, or a line for each cluster. --json prints the very text
that lies in Consul; without a cluster, a list of what there is.

  primacy-writer show
  primacy-writer show main --json | jq .generation
  primacy-writer show --json | jq -r '.[].cluster'`,
  resolve: `primacy-writer resolve <cluster> [--orchestrator URL] [--json]

Ends a drain or a fence whose deadline has passed and whose closing hook never
came (a failed graceful takeover has none), by Orchestrator's word: a successor
that it promoted is opened; a master that is alive, writable and the only one
opens again, one generation up; otherwise nothing is written and people are
told. The agent does the same by itself.

  primacy-writer resolve main --config /etc/primacy/writer.yaml
  primacy-writer resolve main --orchestrator http://orchestrator:3000 --json | jq -r .outcome

  --alias NAME             how Orchestrator calls the cluster, where it is not
                           the same name`,
  agent: `primacy-writer agent [flags]

Runs until told to end, beside each Orchestrator node: writes how Orchestrator
sees the replicas, writes the changes of master whose hook was lost, ends drains
and fences past their deadline, delivers this machine's spool, copies the
documents into other datacenters. Of several agents one leads. Serves /livez,
/readyz and /metrics.

  primacy-writer agent --config /etc/primacy/writer.yaml
  primacy-writer agent --orchestrator http://orc1:3000,http://orc2:3000,http://orc3:3000

  --cluster A,B            look after these only (default: every cluster that
                           Consul has)
  --name NAME              this agent's name (default: the host's)
  --policy report|repair   what becomes of a record with which Orchestrator
                           disagrees, where no recovery explains it
  --http HOST:PORT|off     where it serves (default 127.0.0.1:6091)

The rest stands in the table "agent" of the configuration file: docs/agent.md.`,
  status: `primacy-writer status [<cluster>] [--json]

How each cluster is, by its record, its members and its proxies, and what a
person would do next: ok, draining, fenced, failing over, degraded, disagreement
or down. Fit for a check: 0 where all is ok, else 30.

  primacy-writer status
  primacy-writer status main --json | jq -r .clusters[0].state`,
  check: `primacy-writer check <cluster> [--json]

What the cluster's policies promise for the moment when its master changes, and
what takes away from that: Pre hooks that did not come, a login on the database
servers that does not do, no agent, proxies that don't follow. Changes nothing.
Run it on the hosts that run hooks, with their settings.

  primacy-writer check main --config /etc/primacy/writer.yaml
  primacy-writer check main --json | jq -r '.findings[] | select(.level == "gap") | .says'`,
  adopt: `primacy-writer adopt <cluster> [--orchestrator URL] [--from-keys PREFIX]
    [--proxysql host:port] [--yes]

Takes over a set-up that runs already: a layout from a ProxySQL's rows, the
master from Orchestrator's API or its own keys, shown before anything is
written. All sources must name the same master. Nothing happens to ProxySQL or
to the servers.

  primacy-writer adopt main --orchestrator http://orchestrator:3000 \\
    --proxysql proxysql1:6032 --proxysql-user primacy \\
    --proxysql-password-file /etc/primacy/proxysql.password
  primacy-writer adopt main --from-keys mysql/master --layout main.yaml

  --from-keys PREFIX       Orchestrator's own keys in Consul
                           (KVClusterMasterPrefix)
  --proxysql HOST:PORT     the admin port of a ProxySQL; --proxysql-user
                           (default admin, who may log in from ProxySQL's own
                           host only), --proxysql-password-file or
                           PRIMACY_PROXYSQL_PASSWORD
  --writer-hostgroup N, --reader-hostgroup N
                           which hostgroups, where mysql_replication_hostgroups
                           doesn't say, or says several
  --layout FILE            this layout, instead of one made from the proxy's
                           rows
  --alias NAME             how Orchestrator calls the cluster, where it is not
                           the same name
  --yes                    don't ask`,
} as const;

export type CommandName = keyof typeof HELP;

export function isCommand(word: string): word is CommandName {
  return Object.hasOwn(HELP, word);
}

export function generalHelp(): string {
  return `primacy-writer: says in Consul who the MySQL master is.

  hook <HookName>          what Orchestrator calls
  flush                    deliver what waits on disk
  bootstrap <cluster>      a cluster's first record
  layout apply|show        a cluster's servers and hostgroups
  set <cluster>            an operator names the master
  readmit <cluster>        an operator lets a former master read again
  show [<cluster>]         the record
  resolve <cluster>        end a drain or fence past its deadline
  status [<cluster>]       how a cluster is, and what to do next
  check <cluster>          what its set-up promises, and what is missing for it
  adopt <cluster>          take over a set-up that runs already
  agent                    what runs beside each Orchestrator node

primacy-writer <command> --help says more of each.

${settingsHelp()}

${exitCodesHelp()}`;
}

export function commandHelp(command: CommandName): string {
  return `${HELP[command]}\n\n${settingsHelp(command)}`;
}
