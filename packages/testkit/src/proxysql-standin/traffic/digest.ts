/** Comments, quoted texts, numbers, words and everything else, one after another. */
const TOKENS =
  /\/\*[\s\S]*?\*\/|--[ \t][^\n]*|--\n|#[^\n]*|'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`[^`]*`|[A-Za-z_@$][\w@$.]*|\d[\w.]*|\s+|[\s\S]/g;

/**
 * The statement without comments, with one blank between words and "?" for every literal: what match_digest is compared
 * with, and where ProxySQL looks for user variables and locks.
 */
export function digest(statement: string): string {
  const parts: string[] = [];
  for (const [token] of statement.matchAll(TOKENS)) {
    if (isComment(token) || /^\s/.test(token)) parts.push(" ");
    else if (/^['"\d]/.test(token)) parts.push("?");
    else parts.push(token);
  }
  return parts.join("").replace(/\s+/g, " ").replace(/ ?, ?/g, ",").trim();
}

/** The statement without the comments in front of it. */
export function withoutLeadingComments(statement: string): string {
  let rest = statement.trimStart();
  for (;;) {
    const comment = /^(\/\*[\s\S]*?\*\/|--[ \t][^\n]*\n?|#[^\n]*\n?)\s*/.exec(rest);
    if (!comment) return rest;
    rest = rest.slice(comment[0].length);
  }
}

function isComment(token: string): boolean {
  return token.startsWith("/*") || token.startsWith("#") || /^--\s/.test(token);
}
