"""A collector of traces: reads OTLP over HTTP with the format's own messages, and writes one line a span."""

import gzip
import http.server
import json
import sys

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

KINDS = ["none", "internal", "server", "client", "producer", "consumer"]


def values(attributes):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        assert self.path == "/v1/traces", self.path
        assert self.headers["content-type"] == "application/x-protobuf", self.headers
        request = service.ExportTraceServiceRequest.FromString(body)
        with open(sys.argv[1], "a") as out:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        line = {
                            "service": values(resource.resource.attributes),
                            "name": span.name,
                            "kind": KINDS[span.kind],
                            "trace": span.trace_id.hex(),
                            "span": span.span_id.hex(),
                            "parent": span.parent_span_id.hex(),
                            "took_ns": span.end_time_unix_nano - span.start_time_unix_nano,
                            "attributes": values(span.attributes),
                            "n_events": len(span.events),
                            "failed": span.status.code == 2,
                        }
                        print(json.dumps(line), file=out)
        answer = service.ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Collector).serve_forever()
