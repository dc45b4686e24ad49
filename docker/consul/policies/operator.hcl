# The token of a person: bootstrap, adopt, layout, set, readmit, show and status, of every cluster.

key_prefix "primacy/clusters/" {
  policy = "write"
}

key_prefix "primacy/history/" {
  policy = "write"
}

# What each proxy says of itself.
key_prefix "primacy/acks/" {
  policy = "read"
}

# For status: who of the agents leads.
key "primacy/agent/leader" {
  policy = "read"
}
