# The token of a person: bootstrap, layout, set, readmit and show, of every cluster.

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
