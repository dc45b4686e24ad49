/** Version of the watcher; the bundle's build replaces it with that of package.json. */
declare const PRIMACY_VERSION: string | undefined;
export const VERSION = typeof PRIMACY_VERSION === "undefined" ? "source" : PRIMACY_VERSION;
