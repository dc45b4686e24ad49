#!/bin/sh
# primacy-guard: stands in for a watcher that is dead or stuck.
#
# ProxySQL's scheduler runs it once a second, beside ProxySQL, while any cluster asks for a lease. The watcher keeps the
# lease file; where a lease has run out, the guard takes every server out of that writer hostgroup, so that nobody goes
# on writing by a record of which nobody knows any more whether it still holds. It needs sh, date and the mysql client.
#
#   primacy-guard.sh <lease file> <option file of the mysql client> <writer hostgroups, such as 10,30>
#
# Each of the hostgroups must have a lease: without a line of its own (no file, garbage) it is fenced as well. The
# option file has user, password, host and port of ProxySQL's admin interface below [client]: no password in arguments.
# To do without it: DELETE FROM scheduler WHERE comment LIKE 'primacy guard%'; LOAD SCHEDULER TO RUNTIME;
set -u
export PATH="${PATH:-/usr/local/bin:/usr/bin:/bin}"

if [ $# -ne 3 ]; then
  echo "usage: primacy-guard.sh <lease file> <mysql option file> <hostgroups>" >&2
  exit 10
fi
lease_file=$1
option_file=$2
hostgroups=$3

is_number() {
  case $1 in
    0) return 0 ;;
    '' | 0* | *[!0-9]*) return 1 ;;
  esac
  [ ${#1} -le 12 ]
}

# Prints the hostgroups without a lease, as "10,30".
without_lease() {
  now=$(date +%s)
  seen=,
  over=
  if [ -r "$lease_file" ]; then
    while read -r cluster hostgroup seconds until rest; do
      case $cluster in '' | '#'*) continue ;; esac
      [ -z "$rest" ] && is_number "$hostgroup" && is_number "$seconds" && is_number "$until" || continue
      seen=$seen$hostgroup,
      # One that ends later than any lease could end was written before the clock went back.
      if [ "$now" -ge "$until" ] || [ "$until" -gt $((now + seconds + 1)) ]; then over=$over$hostgroup,; fi
    done <"$lease_file"
  fi
  old_ifs=$IFS
  IFS=,
  for hostgroup in $hostgroups; do
    case $seen in *",$hostgroup,"*) ;; *) over=$over$hostgroup, ;; esac
  done
  IFS=$old_ifs
  echo "${over%,}"
}

# One statement a call: ProxySQL's admin drops all but the first. A hung admin must not pile up guards.
admin() {
  if command -v timeout >/dev/null 2>&1; then
    timeout 3 mysql --defaults-file="$option_file" --connect-timeout=2 --batch --skip-column-names -e "$1"
  else
    mysql --defaults-file="$option_file" --connect-timeout=2 --batch --skip-column-names -e "$1"
  fi
}

fail() {
  echo "primacy-guard: hostgroups $over have no lease and could not be fenced: $1 failed" >&2
  exit 1
}

# In two seconds of ten it shows its watcher that it gets through: nobody is to learn that only when it must fence.
show() {
  [ $(($(date +%s) % 10)) -lt 2 ] || return 0
  admin "UPDATE primacy_guard SET seen=CAST(strftime('%s','now') AS INTEGER) WHERE id=1" && return 0
  # Right after a start of ProxySQL the table is missing: the watcher makes it anew within ten seconds.
  echo "primacy-guard: could not show that it gets through to the admin port: if it had to fence, it might fail" >&2
  return 1
}

over=$(without_lease)
if [ -z "$over" ]; then
  show
  exit
fi

where="WHERE status<>'OFFLINE_HARD' AND hostgroup_id IN ($over)"
unfenced=$(admin "SELECT (SELECT COUNT(*) FROM mysql_servers $where), (SELECT COUNT(*) FROM runtime_mysql_servers $where)") ||
  fail "looking"
case $unfenced in
  "0	0")
    show
    exit
    ;;
esac

# The watcher may have come back in the meantime.
over=$(without_lease)
[ -n "$over" ] || exit 0
where="WHERE status<>'OFFLINE_HARD' AND hostgroup_id IN ($over)"
admin "UPDATE mysql_servers SET status='OFFLINE_HARD' $where" || fail "the UPDATE"
admin "LOAD MYSQL SERVERS TO RUNTIME" || fail "the LOAD"
# ProxySQL itself ends these 1 to 3 s after a LOAD (2.7.1): until then their bytes pass unseen.
for session in $(admin "SELECT SessionID FROM stats_mysql_processlist WHERE command='Fast forward' AND hostgroup IN ($over)"); do
  admin "KILL CONNECTION $session" || :
done
echo "primacy-guard: no lease, so nobody takes writes in hostgroups $over" >&2
exit 0
