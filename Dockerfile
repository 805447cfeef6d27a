# Umbral in a container: built from this folder, run as a user without rights on a root file system that
# need not be writable. No secret is an argument, a variable or a layer: the server reads them from files.

# GraphiQL from the npm registry, held to the digests in scripts/graphiql.
FROM node:22-bookworm-slim AS graphiql
WORKDIR /src
COPY scripts/graphiql scripts/graphiql
RUN scripts/graphiql

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
COPY --from=graphiql /src/api/assets/graphiql api/assets/graphiql
# The caches stay on the building machine; only the finished binary goes on.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package api --bin umbral \
    && install -D -m 0755 target/release/umbral /out/umbral \
    && install -d -m 0700 /out/data

FROM debian:bookworm-slim
# The certificates are for outside issuers of tokens, whose keys are fetched over https.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 umbral \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin umbral
COPY --from=build /out/umbral /usr/local/bin/umbral
# A new volume takes its owner and mode from the folder that it covers.
COPY --from=build --chown=10001:10001 /out/data /var/lib/umbral
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/umbral/

# 0.0.0.0 is the container's own network; what is published to the host is decided by who runs it.
ENV UMBRAL_LISTEN=0.0.0.0:8080 \
    UMBRAL_DATA_DIR=/var/lib/umbral
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["/usr/local/bin/umbral", "health"]
ENTRYPOINT ["/usr/local/bin/umbral"]
CMD ["serve"]
