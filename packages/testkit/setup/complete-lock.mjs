// Adds to package-lock.json (in the working folder) the optional packages of other platforms that npm has left out
// (npm/cli#4828); without them `npm ci` fails with "Missing: … from lock file". Run after each npm install.
import { readFileSync, writeFileSync } from "node:fs";
const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const packages = lock.packages;
const platform = (name) => {
  const text = name.split("/").at(-1);
  const os = /(android|darwin|freebsd|openharmony|openbsd|netbsd|linux|win32|windows|sunos|aix)/.exec(text);
  const cpu = /(arm64|arm|x64|ia32|ppc64|riscv64|s390x|loong64|mips64el|64)(?=$|-)/.exec(
    text.slice(os.index + os[0].length),
  );
  const libc = /musl/.test(text) ? ["musl"] : os[0] === "linux" && /-gnu/.test(text) ? ["glibc"] : undefined;
  return { cpu: [cpu[0] === "64" ? "x64" : cpu[0]], libc, os: [os[0] === "windows" ? "win32" : os[0]] };
};
let added = 0;
for (const [path, entry] of Object.entries(packages)) {
  if (!path.includes("node_modules/")) continue;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (packages[`${path}/node_modules/${name}`] || packages[`node_modules/${name}`]) continue;
    const { cpu, libc, os } = platform(name);
    packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(entry.dev && { dev: true }),
      ...(libc && { libc }),
      optional: true,
      os,
      ...(entry.engines && { engines: entry.engines }),
    };
    added++;
  }
}
const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en"));
lock.packages = Object.fromEntries(sorted);
writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} entries added`);
