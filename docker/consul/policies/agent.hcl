# The token of primacy-writer agent. One set of rules for each cluster ("main").
# It may move the record, say how the servers are and shorten the history: a layout is an operator's.

# Which clusters there are, and their layouts.
key_prefix "primacy/clusters/" {
  policy = "read"
}

key "primacy/clusters/main/master" {
  policy = "write"
}

key "primacy/clusters/main/members" {
  policy = "write"
}

key_prefix "primacy/history/main/" {
  policy = "write"
}

# Which proxies have followed.
key_prefix "primacy/acks/main/" {
  policy = "read"
}

# Who of several agents leads. To take over from one that has fallen silent, its session is ended.
key "primacy/agent/leader" {
  policy = "write"
}

session_prefix "" {
  policy = "write"
}
