# The token of one primacy-watcher. Replace three names: the cluster ("main", one set of rules for each that this
# ProxySQL serves), the proxy ("proxysql1", the watcher's setting `proxy`), and the node name of the Consul agent that
# the watcher speaks to ("consul1"; each of them, where the watcher is given several).

key_prefix "primacy/clusters/main/" {
  policy = "read"
}

key "primacy/acks/main/proxysql1" {
  policy = "write"
}

# The acknowledgement lives as long as the watcher's session.
session "consul1" {
  policy = "write"
}
