"""huggingface_hub and Kindred find each other's downloads in one cache folder.

    python tests/golden/hub_cache.py

A hub on this machine serves a small repository. Kindred fetches it into one cache, where Python finds it without a
network; Python fetches it into another, where Kindred does; and a download of either waits for one of the other.
Not part of the test suite: it wants huggingface_hub.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

ROOT = Path(__file__).parents[2]
COMMIT = "c" * 40
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "1_Pooling/config.json": b"{}",
    "model.safetensors": bytes(range(256)) * 4096,
}


def etag(path):
    data = FILES[path]
    if path.endswith(".safetensors"):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def entry(path):
    found = {"type": "file", "path": path, "size": len(FILES[path]), "oid": etag(path)}
    if path.endswith(".safetensors"):
        found["oid"] = "0" * 40
        found["lfs"] = {"oid": etag(path), "size": len(FILES[path]), "pointerSize": 130}
    return found


class Hub(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def send(self, body, headers=()):
        self.send_response(200)
        for name, value in [("content-length", str(len(body))), *headers]:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path = urlparse(self.path).path
        if "/tree/" in path:
            return self.send(json.dumps([entry(name) for name in FILES]).encode())
        if path.startswith("/api/"):
            siblings = [{"rfilename": name} for name in FILES]
            return self.send(json.dumps({"id": "owner/name", "sha": COMMIT, "siblings": siblings}).encode())
        name = path.split(f"/resolve/{COMMIT}/")[-1].split("/resolve/main/")[-1]
        size = str(len(FILES[name]))
        headers = [("x-repo-commit", COMMIT), ("etag", f'"{etag(name)}"'), ("x-linked-size", size)]
        self.send(FILES[name], headers)

    do_HEAD = do_GET


def kindred(cache, **more):
    command = ["deno", "run", "-A", "tools/fetch_snapshot.ts", "model", "owner/name"]
    environment = {**os.environ, "HF_HUB_CACHE": str(cache), **more}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def folder(process):
    output, _ = process.communicate()
    assert process.returncode == 0
    return Path(output.strip())


def same(path):
    for name, data in FILES.items():
        assert (path / name).read_bytes() == data, name


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    os.environ["HF_ENDPOINT"] = endpoint
    from huggingface_hub import __version__, scan_cache_dir, snapshot_download

    with tempfile.TemporaryDirectory() as name:
        ours, theirs, both = (Path(name) / each for each in ("ours", "theirs", "both"))
        fetched = folder(kindred(ours))
        found = Path(snapshot_download("owner/name", cache_dir=ours, local_files_only=True))
        same(found)
        assert found.resolve() == fetched.resolve()
        assert len(scan_cache_dir(ours).repos) == 1 and not scan_cache_dir(ours).warnings
        before = {path.name for path in (ours / "models--owner--name" / "blobs").iterdir()}
        snapshot_download("owner/name", cache_dir=ours)
        assert {path.name for path in (ours / "models--owner--name" / "blobs").iterdir()} == before
        print(f"huggingface_hub {__version__} finds what Kindred fetched, and fetches nothing again")

        downloaded = Path(snapshot_download("owner/name", cache_dir=theirs))
        offline = folder(kindred(theirs, HF_HUB_OFFLINE="1"))
        same(offline)
        assert offline.resolve() == downloaded.resolve()
        print("Kindred finds without a network what huggingface_hub fetched")

        locks = both / ".locks" / "models--owner--name"
        locks.mkdir(parents=True)
        with open(locks / f"{etag('model.safetensors')}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = kindred(both)
            time.sleep(3)
            blob = both / "models--owner--name" / "blobs" / etag("model.safetensors")
            assert process.poll() is None and not blob.exists(), "it did not wait"
        same(folder(process))
        print("Kindred waits while huggingface_hub holds the lock of a blob")
    server.shutdown()


sys.exit(main())
