// Where this machine gets Debian from, rewritten for another suite. Text in, text out.

/**
 * The machine's own apt sources with its suite replaced: same mirrors, same keys, component main only.
 *
 * @param {{ name: string, text: string }[]} files the contents of sources.list, *.list and *.sources
 * @param {string} codename the machine's suite, such as bookworm
 * @param {string} suite the suite wanted
 * @returns {{ name: string, text: string }[]} one file for each that has that suite, in the same format
 */
export function sourcesForSuite(files, codename, suite) {
  return files
    .map(({ name, text }) => ({
      name,
      text: name.endsWith(".sources")
        ? rewriteStanzas(text, codename, suite)
        : rewriteLines(text, codename, suite),
    }))
    .filter(({ text }) => text !== "");
}

/** The deb822 format: stanzas of "Field: value", one blank line in between (man sources.list). */
function rewriteStanzas(text, codename, suite) {
  const stanzas = text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .split(/\n\s*\n/)
    .map(parseFields)
    .filter((fields) => isDebianSuite(fields, codename));
  return stanzas.map((fields) => printFields(fields, suite)).join("\n");
}

function parseFields(stanza) {
  const fields = new Map();
  let last = "";
  for (const line of stanza.split("\n").filter((text) => text.trim() !== "")) {
    const field = /^([A-Za-z-]+):(.*)$/.exec(line);
    if (field) {
      last = field[1].toLowerCase();
      fields.set(last, field[2].trim());
    } else {
      // A value may go on in indented lines: an inline key, for one.
      fields.set(last, `${fields.get(last)}\n${line}`);
    }
  }
  return fields;
}

function isDebianSuite(fields, codename) {
  const words = (name) => (fields.get(name) ?? "").split(/\s+/);
  return (
    fields.get("enabled")?.toLowerCase() !== "no" &&
    words("types").includes("deb") &&
    words("suites").some((word) => word === codename || word === "stable") &&
    words("components").includes("main")
  );
}

function printFields(fields, suite) {
  const wanted = new Map([...fields, ["types", "deb"], ["suites", suite], ["components", "main"]]);
  return [...wanted].map(([name, value]) => `${name}: ${value}\n`).join("");
}

/** The classic format: deb [options] uri suite component... */
function rewriteLines(text, codename, suite) {
  return text
    .split("\n")
    .map((line) => /^\s*deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((found) => found && (found[3] === codename || found[3] === "stable") && /\bmain\b/.test(found[4]))
    .map(([, options = "", uri]) => `deb ${options}${uri} ${suite} main\n`)
    .join("");
}
