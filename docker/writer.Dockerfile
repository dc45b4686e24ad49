# primacy-writer: the hook in one file, its agent and MySQL client beside it. Two images come from here: `writer`
# (the default) for operators' commands and the agent, and `orchestrator`, because Orchestrator runs its hooks in its
# own container.
ARG NODE=node:20.20.2-bookworm-slim
ARG ORCHESTRATOR=percona/percona-orchestrator:3.2.6-18

FROM ${NODE} AS build
WORKDIR /build
COPY package.json package-lock.json tsconfig.base.json tsconfig.json ./
COPY packages packages
RUN npm ci --ignore-scripts --no-audit --no-fund
RUN node packages/writer/bundle.mjs /build/primacy/primacy-writer.cjs

FROM ${NODE} AS node

FROM ${ORCHESTRATOR} AS orchestrator
USER root
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /build/primacy /usr/local/lib/primacy
RUN ln -s ../lib/primacy/primacy-writer.cjs /usr/local/bin/primacy-writer
RUN mkdir -p /var/lib/primacy/spool && chown -R 1001:1001 /var/lib/primacy
USER 1001
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:3000/api/lb-check', { signal: AbortSignal.timeout(3000) }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

FROM ${NODE} AS writer
COPY --from=build /build/primacy /usr/local/lib/primacy
RUN ln -s ../lib/primacy/primacy-writer.cjs /usr/local/bin/primacy-writer
RUN install -d -o node -g node /var/lib/primacy /var/lib/primacy/spool
USER node
HEALTHCHECK --interval=60s --timeout=5s CMD ["primacy-writer", "--version"]
ENTRYPOINT ["primacy-writer"]
CMD ["--help"]
