# The build: a static binary. GOPROXY, GOSUMDB and GOFLAGS are handed through for networks that need other ones.
FROM golang:1.26-bookworm AS build
ARG GOPROXY GOSUMDB GOFLAGS
WORKDIR /src
# The modules change rarely, and are a layer of their own.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags=-s -o /queuetrack ./cmd/queuetrack

# The image: that binary, CA certificates, time zones, an ordinary user. No shell.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /queuetrack /queuetrack
# Loopback inside of a container reaches nobody. serve refuses any other address without an API key, unless told
# --auth=none, so this alone opens nothing. The health check reads it, too.
ENV QUEUETRACK_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=6s --start-period=60s --retries=3 CMD ["/queuetrack", "healthcheck"]
ENTRYPOINT ["/queuetrack"]
CMD ["serve"]
