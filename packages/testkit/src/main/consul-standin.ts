// Runs the Consul stand-in as a program: consul-standin [port]
import { startConsulStandIn } from "../consul-standin/server.js";

const port = Number(process.argv[2] ?? 8500);
startConsulStandIn({ port })
  .then((standIn) => process.stdout.write(`the Consul stand-in listens on ${standIn.address}\n`))
  .catch((error: unknown) => {
    process.stderr.write(`the Consul stand-in can't listen on port ${port}: ${String(error)}\n`);
    process.exitCode = 1;
  });
