# Two images, one for each role:
#
#   docker build --target server -t plumbline-server .
#   docker build --target client -t plumbline-client .
#
# `compose.yaml` runs them together. scripts/container.sh does all of it and
# works without a Docker engine, too.
#
# Where the base images come from can be set, for a mirror or for images of
# one's own: --build-arg RUST_IMAGE=... --build-arg RUNTIME_IMAGE=...
# Both must have the same C library; the Rust image needs a C compiler.
ARG RUST_IMAGE=docker.io/library/rust:1-slim-bookworm
ARG RUNTIME_IMAGE=docker.io/library/debian:bookworm-slim

FROM ${RUST_IMAGE} AS build
WORKDIR /src
COPY . .
# The caches make the second build short; the image does not depend on them.
# Our own sources count as new, since what is cached may be of another checkout.
RUN --mount=type=cache,id=plumbline-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=plumbline-target,target=/src/target \
    find plugin-api host plugins tests -name '*.rs' -exec touch {} + \
    && cargo build --release --locked \
    && scripts/install.sh /out

# What both images have: the program, a user without rights, a directory that
# this user may write to. The C library and libgcc come with the base image.
FROM ${RUNTIME_IMAGE} AS runtime
RUN groupadd --system --gid 10001 plumbline \
    && useradd --system --uid 10001 --gid 10001 --home-dir /data --no-create-home \
       --shell /usr/sbin/nologin plumbline \
    && install -d -o 10001 -g 10001 /data
COPY --from=build /out/bin/host /usr/local/bin/host
WORKDIR /data
USER 10001:10001
# The host ends in order on SIGTERM, also as process 1; no init is needed.
STOPSIGNAL SIGTERM

# The server films and scores; it runs no detector. There is no screen in a
# container, so the window display stays out; with `docker run -it` the
# terminal display works.
FROM runtime AS server
COPY --from=build \
    /out/lib/plumbline/plugins/libplumbline_display_null.so \
    /out/lib/plumbline/plugins/libplumbline_display_terminal.so \
    /usr/local/lib/plumbline/plugins/
# Signaling. The data channel uses UDP ports that the two sides agree on, so
# publishing this port alone is not enough to reach a server from outside: use
# `--network host` for that.
EXPOSE 8080/tcp
# As `-c`, so that --listen and --connect can still be given.
ENTRYPOINT ["host", "--role", "server", "-c", "signaling.listen=0.0.0.0:8080"]
CMD ["--no-graphics"]

# The client detects. The OpenCV detectors stay out: their libraries are
# several times the size of everything else in here. To add one, or a detector
# of your own, derive an image and copy the .so to where hough-rust is, or mount
# a directory and name it with --plugin-path.
FROM runtime AS client
COPY --from=build \
    /out/lib/plumbline/plugins/libplumbline_hough_rust.so \
    /out/lib/plumbline/plugins/libplumbline_display_null.so \
    /out/lib/plumbline/plugins/libplumbline_display_terminal.so \
    /usr/local/lib/plumbline/plugins/
ENTRYPOINT ["host", "--role", "client", "-c", "signaling.connect=server:8080"]
CMD ["--no-graphics"]
