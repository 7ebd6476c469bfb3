#!/usr/bin/env python3
"""What the side-by-side harness does not measure: start-up over a full store, a
cold file's first byte, CPU for each gigabyte of a warm file, the first rendering of a
long page, and warm installs against a local folder of wheels.

usage: side.py HARNESS CORPUS PEERS PILOTHOUSE   (paths; see docs/benchmarks.md)

HARNESS is the folder with the harness' upstream.py, clients.py and serverkit.py,
CORPUS what its corpus.py made, PEERS a virtual environment with uv and pip.
Prints one line a figure.
"""

import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

harness, corpus, peers, binary = (Path(arg).resolve() for arg in sys.argv[1:5])
sys.path.insert(0, str(harness))
from clients import JSON_ACCEPT, Installer, curls, page_links, read  # noqa: E402
from corpus import GIANT  # noqa: E402
from serverkit import Process, Server, Upstream, get, group_memory, wait_for  # noqa: E402

ROUNDS = 5
PORT = 7300
BASE = f"http://127.0.0.1:{PORT}"


def median(values):
    return statistics.median(values)


def start(work, upstream, log):
    command = f"exec {binary} serve --listen 127.0.0.1:{PORT} --data-dir {work}/data --upstream {upstream.url}/ --fresh-for 1800s --log off"
    process = Process(command, log)
    return process, wait_for(BASE + "/+health", process, interval=0.001)


def start_up(work, upstream):
    """Start to the first 200 with records of 100,000 files."""
    process, _ = start(work, upstream, work / "log")
    process.stop()
    db = sqlite3.connect(work / "data" / "pilothouse.db")
    names = [row[1] for row in db.execute("pragma table_info(files)")]
    rows = ({"mirror": "root/pypi", "path": f"packages/{n}/p{n % 5000}-1.{n}.tar.gz", "project": f"p{n % 5000}",
             "filename": f"p{n % 5000}-1.{n}.tar.gz", "digest": f"{n:064x}", "size": 1000 + n, "etag": f'"{n:064x}"',
             "last_modified": None, "stored_at": n, "last_used": n, "pinned": 0} for n in range(100_000))
    marks = ", ".join("?" * len(names))
    db.executemany(f"insert into files ({', '.join(names)}) values ({marks})", ([row[k] for k in names] for row in rows))
    db.commit()
    db.close()
    times = []
    for _ in range(ROUNDS):
        process, seconds = start(work, upstream, work / "log")
        times.append(seconds)
        memory = group_memory(process.popen.pid)[0]
        process.stop()
    print(f"start to first answer, 100,000 files: {median(times) * 1000:.0f} ms; RSS then {memory / 1e6:.0f} MB")


def first_byte(work, upstream):
    """A cold file's first byte through us and straight from upstream, at 20 ms latency."""
    extra, direct_times, ours = [], [], []
    for project in ("numpy", "pandas", "scipy", "cryptography", "pillow"):
        shutil.rmtree(work / "data", ignore_errors=True)
        process, _ = start(work, upstream, work / "log")
        links = page_links(f"{BASE}/root/pypi/+simple/{project}/")
        direct = page_links(f"{upstream.url}/{project}/")
        name = max((n for n in direct if get(direct[n], headers={"Range": "bytes=0-0"})[0] == 206), key=len)
        upstream.admin("knobs", latency_ms=20)
        read(direct[name])
        straight, through = read(direct[name])["first_byte_s"], read(links[name])["first_byte_s"]
        upstream.admin("knobs", latency_ms=0)
        direct_times.append(straight)
        ours.append(through)
        extra.append(through - straight)
        process.stop()
    print(f"cold first byte: direct {median(direct_times) * 1000:.1f} ms, through us {median(ours) * 1000:.1f} ms, "
          f"difference {median(extra) * 1000:.1f} ms")


def group_cpu(pgid):
    """User and system seconds of all processes of a process group."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == pgid:
                ticks += sum(map(int, (entry / "stat").read_text().rsplit(")", 1)[1].split()[11:13]))
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def cpu_per_gigabyte(work, upstream):
    """CPU of the server alone for a warm file of 230 MB, over one connection and over eight."""
    for name in ("pilothouse", "nginx-static"):
        server = Server(name, PORT + 1, upstream, work, corpus, peers, variables=[("pilothouse", binary)])
        server.fresh()
        server.start()
        links = page_links(server.simple("tensorflow-cpu"))
        url = links[max((n for n in links if n.endswith(".whl") and (corpus / "files" / n).exists()),
                        key=lambda n: (corpus / "files" / n).stat().st_size)]
        read(url)
        for connections in (1, 8):
            before, size = group_cpu(server.process.popen.pid), 0
            for _ in range(24 // connections):
                size += sum(done["bytes"] for done in curls(url, connections))
            spent = group_cpu(server.process.popen.pid) - before
            print(f"CPU per GB, {connections} connections: {name} {spent / size * 1e12:.0f} ms")
        server.stop()


def first_rendering(work, upstream):
    """A page of 5,000 files whose form nobody asked for yet, from what is parsed already."""
    times = {"json": [], "json gzip": [], "html": []}
    for _ in range(ROUNDS):
        shutil.rmtree(work / "data", ignore_errors=True)
        process, _ = start(work, upstream, work / "log")
        url = f"{BASE}/root/pypi/+simple/{GIANT}/"
        get(url, headers={"Accept": "application/vnd.pypi.simple.v1+html"})
        for name, headers in (("json", {"Accept": JSON_ACCEPT}),
                              ("json gzip", {"Accept": JSON_ACCEPT, "Accept-Encoding": "gzip"}),
                              ("html", {"Accept": "text/html", "Accept-Encoding": "zstd"})):
            began = time.perf_counter()
            get(url, headers=headers)
            times[name].append(time.perf_counter() - began)
        process.stop()
    for name, seconds in times.items():
        print(f"first rendering of 5,000 files, {name}: {median(seconds) * 1000:.0f} ms")


def installs(work, upstream):
    """Warm installs of the sample set, against the same from a local folder of wheels."""
    scratch = Path(tempfile.mkdtemp(dir="/dev/shm"))
    installer = Installer(peers, scratch, harness / "requirements" / "install.txt")
    shutil.rmtree(work / "data", ignore_errors=True)
    process, _ = start(work, upstream, work / "log")
    index = BASE + "/root/pypi/+simple/"
    folder = corpus / "files"
    uv = [installer.bin / "uv", "pip", "install", "-q", "--no-cache", "--link-mode", "copy", "--python", installer.bin / "python",
          "--target", "TARGET", "--no-index", "--find-links", folder, "-r", installer.requirements]
    pip = [installer.bin / "pip", "install", "-q", "--no-cache-dir", "--no-compile", "--target", "TARGET",
           "--no-index", "--find-links", folder, "-r", installer.requirements]
    installer.uv_install(index)
    for name, ours, local in (("uv", installer.uv_install, uv), ("pip", installer.pip_install, pip)):
        times = {"folder": [], "pilothouse": []}
        for _ in range(ROUNDS if name == "uv" else 2):
            for key, run in (("folder", lambda: installer.run(local)), ("pilothouse", lambda: ours(index))):
                result = run()
                assert result["exit"] == 0, result
                times[key].append(result["seconds"])
        folder_s, ours_s = median(times["folder"]), median(times["pilothouse"])
        print(f"{name} install, warm: folder {folder_s:.2f} s, pilothouse {ours_s:.2f} s, ratio {ours_s / folder_s:.2f}")
    process.stop()
    shutil.rmtree(scratch, ignore_errors=True)


def main():
    work = Path(tempfile.mkdtemp())
    upstream = Upstream(corpus, PORT - 1, 0, work)
    upstream.start()
    try:
        for measure in (start_up, first_byte, cpu_per_gigabyte, first_rendering, installs):
            measure(work, upstream)
    finally:
        upstream.stop()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
