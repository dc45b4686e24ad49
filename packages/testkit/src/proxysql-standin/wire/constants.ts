/** Commands of the MySQL protocol (first byte of a client's packet). */
export const COM = {
  QUIT: 0x01,
  INIT_DB: 0x02,
  QUERY: 0x03,
  FIELD_LIST: 0x04,
  STATISTICS: 0x09,
  PROCESS_KILL: 0x0c,
  PING: 0x0e,
  CHANGE_USER: 0x11,
  STMT_PREPARE: 0x16,
  STMT_EXECUTE: 0x17,
  STMT_SEND_LONG_DATA: 0x18,
  STMT_CLOSE: 0x19,
  STMT_RESET: 0x1a,
  SET_OPTION: 0x1b,
  RESET_CONNECTION: 0x1f,
} as const;

/** Capability flags of the handshake. */
export const CAPABILITY = {
  LONG_PASSWORD: 0x1,
  FOUND_ROWS: 0x2,
  LONG_FLAG: 0x4,
  CONNECT_WITH_DB: 0x8,
  PROTOCOL_41: 0x200,
  SSL: 0x800,
  TRANSACTIONS: 0x2000,
  SECURE_CONNECTION: 0x8000,
  MULTI_STATEMENTS: 0x1_0000,
  MULTI_RESULTS: 0x2_0000,
  PS_MULTI_RESULTS: 0x4_0000,
  PLUGIN_AUTH: 0x8_0000,
  CONNECT_ATTRS: 0x10_0000,
  PLUGIN_AUTH_LENENC: 0x20_0000,
  SESSION_TRACK: 0x80_0000,
} as const;

/** What both ports of ProxySQL offer, as far as this stand-in keeps it: no compression, classic EOF packets. */
export const OFFERED =
  CAPABILITY.LONG_PASSWORD |
  CAPABILITY.FOUND_ROWS |
  CAPABILITY.LONG_FLAG |
  CAPABILITY.CONNECT_WITH_DB |
  CAPABILITY.PROTOCOL_41 |
  CAPABILITY.TRANSACTIONS |
  CAPABILITY.SECURE_CONNECTION |
  CAPABILITY.MULTI_STATEMENTS |
  CAPABILITY.MULTI_RESULTS |
  CAPABILITY.PS_MULTI_RESULTS |
  CAPABILITY.PLUGIN_AUTH |
  CAPABILITY.SESSION_TRACK;

/** Bits of the server status in OK and EOF packets. */
export const STATUS = {
  IN_TRANSACTION: 0x1,
  AUTOCOMMIT: 0x2,
  MORE_RESULTS: 0x8,
  NO_BACKSLASH_ESCAPES: 0x200,
} as const;

/** utf8_general_ci: what ProxySQL names in its handshake and in its own result sets. */
export const CHARSET_UTF8 = 33;

export const CHARSET_BINARY = 63;

/** MYSQL_TYPE_LONGLONG. */
export const TYPE_LONGLONG = 8;

/** MYSQL_TYPE_VAR_STRING: the type of every column of the admin port. */
export const TYPE_VAR_STRING = 253;

export const NATIVE_PASSWORD = "mysql_native_password";
