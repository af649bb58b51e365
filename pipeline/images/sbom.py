"""Writes what is linked into a binary of the workspace, as CycloneDX 1.6: sbom.py BINARY OUT

Listed are the packages whose code can be in the binary: normal dependencies on this machine's target, with the features
of a build of the whole workspace, without procedural macros and build scripts, which only run in the compiler; the Rust
standard library by the version that the binary names; and the C library of this machine, since static binaries
contain it. Packages of crates.io carry the digest by which Cargo.lock knows them. The same binary gives the same bytes:
there are no times and no serial numbers. (`cargo cyclonedx` takes its packages from `cargo metadata`, which counts
macros and what only tests switch on.)
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]


def main():
    binary, out = map(Path, sys.argv[1:])
    packages, edges = dependencies()
    main_package = next((key for key in packages if key[0] == binary.name), None)
    if main_package is None:
        raise SystemExit(f"error: the workspace has no package {binary.name}, which {binary} should be named after")
    linked = reachable(main_package, edges)
    content = binary.read_bytes()
    system = [part for part in (rust(content), c_library()) if part]

    checksums = published()
    subject = component(main_package, packages[main_package], checksums)
    subject["type"] = "application"
    subject["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]
    graph = {reference(key): sorted(map(reference, edges[key])) for key in linked}
    graph[reference(main_package)] += [part["bom-ref"] for part in system]
    write(out, {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"lifecycles": [{"phase": "build"}], "component": subject},
        "components": [component(key, packages[key], checksums) for key in sorted(linked - {main_package})] + system,
        "dependencies": [{"ref": ref, "dependsOn": graph[ref]} for ref in sorted(graph)]
        + [{"ref": part["bom-ref"]} for part in system],
    })


def dependencies():
    """Packages by (name, version), each with licence and whether it is of this workspace, and whom each one uses."""
    command = [os.environ.get("CARGO", "cargo"), "tree", "--locked", "--workspace", "--edges", "normal,no-proc-macro"]
    command += ["--prefix", "depth", "--format", "\t{p}\t{l}"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"error: {' '.join(command[:2])} ended with {done.returncode}")
    packages, edges, path = {}, {}, []
    for line in filter(None, done.stdout.splitlines()):
        depth, package, licence = line.split("\t")
        name, version, *source = package.split(" ")
        key = (name, version.removeprefix("v"))
        packages[key] = {"licence": licence.removesuffix(" (*)"), "ours": bool(source)}
        edges.setdefault(key, set())
        # The depth is the number of those above.
        del path[int(depth):]
        if path:
            edges[path[-1]].add(key)
        path.append(key)
    return packages, edges


def reachable(start, edges):
    seen, waiting = {start}, [start]
    while waiting:
        new = edges[waiting.pop()] - seen
        seen |= new
        waiting += new
    return seen


def published():
    """The SHA-256 of each package of crates.io, by (name, version)."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    return {(each["name"], each["version"]): each["checksum"] for each in lock["package"] if "checksum" in each}


def component(key, facts, checksums):
    name, version = key
    made = {"type": "library", "bom-ref": reference(key), "name": name, "version": version}
    if key in checksums:
        made["hashes"] = [{"alg": "SHA-256", "content": checksums[key]}]
    if facts["licence"]:
        # The slash is what packages wrote before there were expressions.
        made["licenses"] = [{"expression": re.sub(r" ?/ ?", " OR ", facts["licence"])}]
    # Ours are not on crates.io, where somebody else could take their names.
    if not facts["ours"]:
        made["purl"] = f"pkg:cargo/{name}@{quote(version)}"
    return made


def reference(key):
    return f"{key[0]}@{key[1]}"


def rust(content):
    """The standard library, by the version that the compiler leaves in every binary."""
    found = re.search(rb"rustc version (\d+\.\d+\.\d+[^ ]*) ", content)
    if found is None:
        return None
    return system_library("rust-std", found[1].decode(), "rust-lang:rust", "Apache-2.0 OR MIT")


def c_library():
    try:
        name, _, version = os.confstr("CS_GNU_LIBC_VERSION").partition(" ")
    except (OSError, ValueError):
        return None
    return system_library(name, version, "gnu:glibc", "LGPL-2.1-or-later")


def system_library(name, version, product, licence):
    return {
        "type": "library",
        "bom-ref": f"{name}@{version}",
        "name": name,
        "version": version,
        "licenses": [{"expression": licence}],
        "cpe": f"cpe:2.3:a:{product}:{version}:*:*:*:*:*:*:*",
    }


def write(out, value):
    out.write_text(json.dumps(value, indent=1) + "\n")


main()
