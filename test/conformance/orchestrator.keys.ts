import { createServer } from "node:http";
import { freePort } from "@primacy/testkit";

/** What Orchestrator would have put into Consul. */
export interface KeyRecorder {
  address: string;
  /** `key=value`, in the order in which they came. */
  puts: string[];
  close(): Promise<void>;
}

/** A Consul that takes every key and keeps nothing but the list of them. */
export async function recordKeys(): Promise<KeyRecorder> {
  const puts: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (more: string) => (body += more));
    request.once("end", () => {
      const { pathname, search } = new URL(request.url ?? "", "http://consul");
      puts.push(`${pathname.replace("/v1/kv/", "")}${search}=${body}`);
      response.end("true");
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${port}`,
    puts,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}
