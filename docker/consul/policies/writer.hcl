# The token of primacy-writer, for the hooks that Orchestrator calls. One set of rules for each cluster ("main").
# It may move the record and nothing else: a layout is an operator's, an acknowledgement is a watcher's.

key_prefix "primacy/clusters/main/" {
  policy = "read"
}

key "primacy/clusters/main/master" {
  policy = "write"
}

key_prefix "primacy/history/main/" {
  policy = "write"
}

# A Pre hook waits until every proxy has said that it follows.
key_prefix "primacy/acks/main/" {
  policy = "read"
}
