/** The version that this stand-in was compared with, as that one names itself. */
export const PROXYSQL_VERSION = "2.7.1-16-g2726c27";
