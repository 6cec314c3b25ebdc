"""An API server of the tests' own on loopback: serves constructed answers, records requests."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Any, dict[str, str]]


class ApiServer:
    """Serves lists by path, page by page; ``rules`` may answer instead.

    ``rules`` maps a path to a function of the query and the number of the call, which returns
    status, body and headers, or None to let the list answer.
    """

    def __init__(self) -> None:
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.rules: dict[str, Callable[[dict[str, str], int], Answer | None]] = {}
        self.requests: list[tuple[str, str, dict[str, str], str]] = []
        self.calls: dict[str, int] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self, "GET")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.answer(self, "POST")

            def log_message(self, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def add(self, path: str, kind: str, objects: list[dict[str, Any]]) -> None:
        """Serve a list at a path, and its kind in discovery."""
        self.lists[path] = objects
        base, _, plural = path.rpartition("/")
        self.rules.setdefault(base, self._discovery(base))
        self.kinds = {**getattr(self, "kinds", {}), path: (plural, kind)}

    def _discovery(self, base: str) -> Callable[[dict[str, str], int], Answer]:
        def answer(query: dict[str, str], call: int) -> Answer:
            found = [
                {"name": plural, "kind": kind, "namespaced": True, "verbs": ["list"]}
                for path, (plural, kind) in self.kinds.items()
                if path.rpartition("/")[0] == base
            ]
            return 200, {"kind": "APIResourceList", "resources": found}, {}

        return answer

    def answer(self, handler: BaseHTTPRequestHandler, method: str) -> None:
        parts = urlsplit(handler.path)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        path = parts.path
        self.requests.append((method, path, query, handler.headers.get("Accept", "")))
        self.calls[path] = self.calls.get(path, 0) + 1
        found = self._found(path, query, method, handler.headers.get("Accept", ""))
        if found is None:
            found = 404, {"kind": "Status", "message": "not found"}, {}
        status, body, headers = found
        if body == "hang":
            time.sleep(3)
            return
        if body == "cut":
            handler.close_connection = True
            return
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        if "gzip" in handler.headers.get("Accept-Encoding", "") and len(data) > 200:
            data, headers = gzip.compress(data, mtime=0), {**headers, "Content-Encoding": "gzip"}
        try:
            handler.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _found(self, path: str, query: dict[str, str], method: str, accept: str) -> Answer | None:
        if path in self.rules:
            ruled = self.rules[path](query, self.calls[path])
            if ruled is not None:
                return ruled
        if path == "/version":
            return 200, {"gitVersion": "v1.34.1", "platform": "linux/amd64"}, {}
        if method == "POST" and path.endswith("selfsubjectaccessreviews"):
            return 201, {"kind": "SelfSubjectAccessReview", "status": {"allowed": True}}, {}
        if path in self.lists:
            return self.page(path, query, accept)
        return None

    def page(self, path: str, query: dict[str, str], accept: str = "") -> Answer:
        objects = self.lists[path]
        limit, start = int(query.get("limit", 500)), int(query.get("continue") or 0)
        some = objects[start : start + limit]
        more = start + limit < len(objects)
        meta = {"resourceVersion": "7", **({"continue": str(start + limit)} if more else {})}
        if "PartialObjectMetadataList" in accept:
            said = {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata"}
            some = [said | {"metadata": o["metadata"]} for o in some]
            return 200, {"kind": "PartialObjectMetadataList", "metadata": meta, "items": some}, {}
        return 200, {"kind": "List", "metadata": meta, "items": some}, {}
