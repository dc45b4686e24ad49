#!/bin/sh
# Makes passwords and tokens for compose.yml, once: docker/make-secrets.sh [folder]
# Nothing is overwritten. The folder is its owner's; the files in it are readable, because containers read them as other
# users.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/secrets}

if [ -e "$folder" ]; then
  echo "$folder is there already; remove it (and the volumes: docker compose down -v) to begin anew" >&2
  exit 1
fi
umask 077
mkdir -p "$folder"
umask 022

random() {
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# Consul wants tokens as UUIDs.
uuid() {
  random | sed 's/^\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)\(.\{12\}\)$/\1-\2-4\3-8\4-\5/'
}

for name in consul-management consul-operator consul-watcher consul-writer; do
  uuid > "$folder/$name.token"
done
for name in mysql-app mysql-monitor mysql-orchestrator mysql-replication mysql-root proxysql-admin proxysql-watcher; do
  random > "$folder/$name.password"
done

management=$(cat "$folder/consul-management.token")
cat > "$folder/consul-acl.json" << JSON
{
  "acl": {
    "enabled": true,
    "default_policy": "deny",
    "tokens": { "initial_management": "$management", "agent": "$management" }
  }
}
JSON

cat > "$folder/orchestrator-topology.cnf" << CNF
[client]
user=orchestrator
password=$(cat "$folder/mysql-orchestrator.password")
CNF

cp "$here/proxysql/proxysql.cnf.template" "$folder/proxysql.cnf"
for name in mysql-app mysql-monitor proxysql-admin proxysql-watcher; do
  sed "s/@$name\.password@/$(cat "$folder/$name.password")/" "$folder/proxysql.cnf" > "$folder/proxysql.cnf.new"
  mv "$folder/proxysql.cnf.new" "$folder/proxysql.cnf"
done
echo "made $folder"
