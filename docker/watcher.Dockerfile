# primacy-watcher as one file. It shares the network of its ProxySQL: the admin port and /livez are on 127.0.0.1.
ARG NODE=node:20.20.2-bookworm-slim

FROM ${NODE} AS build
WORKDIR /build
COPY package.json package-lock.json tsconfig.base.json tsconfig.json ./
COPY packages packages
RUN npm ci --ignore-scripts --no-audit --no-fund
RUN cd packages/watcher && node bundle.mjs && chmod 0755 dist/primacy-watcher.cjs

FROM ${NODE} AS watcher
COPY --from=build /build/packages/watcher/dist/primacy-watcher.cjs /usr/local/bin/primacy-watcher
RUN install -d -o node -g node /var/lib/primacy /var/lib/primacy/watcher
USER node
VOLUME /var/lib/primacy/watcher
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:6090/livez', { signal: AbortSignal.timeout(3000) }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["primacy-watcher"]
CMD ["run"]
