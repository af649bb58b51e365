"""What every image has to be: check_image.py ARCHIVE STAGE VERSION, for an archive that `build --archive` wrote.

Held are the files, their modes and owners, the configuration, the binary's linkage and the list of what is linked,
which is valid CycloneDX (needs `cyclonedx-python-lib[json-validation]`). Prints a JSON line with the sizes.
"""

import hashlib
import io
import json
import struct
import sys
import tarfile

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

# Program header types and tags of the dynamic section, from the ELF specification.
PT_DYNAMIC, PT_INTERP = 2, 3
DT_NEEDED = 1
ET_DYN = 3


def main():
    archive, stage, version = sys.argv[1:]
    with tarfile.open(archive) as image:
        manifest = json.load(image.extractfile("manifest.json"))[0]
        config = image.extractfile(manifest["Config"]).read()
        (path,) = manifest["Layers"]
        layer = image.extractfile(path).read()
    hold(manifest["Config"] == hashlib.sha256(config).hexdigest() + ".json", "the configuration has another digest")
    with tarfile.open(fileobj=io.BytesIO(layer)) as entries:
        modes = {entry.name: entry.mode for entry in entries}
        files = {entry.name: entries.extractfile(entry).read() for entry in entries if entry.isreg()}
        hold(all((entry.uid, entry.gid, entry.mtime) == (0, 0, 0) for entry in entries), "an owner or a time is left")

    check_files(modes, stage)
    check_config(json.loads(config), stage, version)
    binary = files[f"weir-{stage}"]
    check_static(binary)
    check_sbom(files["usr/share/weir/sbom.cdx.json"].decode(), binary, stage, version)
    print(json.dumps({"image": f"weir-{stage}", "binary_bytes": len(binary), "image_bytes": len(layer)}))


def check_files(modes, stage):
    expected = {
        "tmp": 0o1777,
        "usr": 0o755,
        "usr/share": 0o755,
        "usr/share/weir": 0o755,
        "usr/share/weir/sbom.cdx.json": 0o644,
        f"weir-{stage}": 0o755,
    }
    if stage == "features":
        expected |= {"usr/share/weir/sample": 0o755, "usr/share/weir/sample/flows.csv": 0o644}
    hold(modes == expected, f"it holds {modes} instead of {expected}")


def check_config(config, stage, version):
    run = config["config"]
    hold(run["User"] == "65532:65532", f"it runs as {run['User']}")
    hold(not run.get("Entrypoint") and not run.get("Cmd"), "it has an entrypoint or a command")
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in run["Labels"].items()}
    hold(labels["title"] == f"weir-{stage}" and labels["version"] == version, f"its labels are {labels}")
    hold(labels["created"] == config["created"], "label and configuration name different times")
    for name in ("description", "licenses", "revision"):
        hold(labels.get(name), f"it has no label {name}")
    hold("source" not in labels or labels["source"], "a label is empty")
    # What a builder adds of itself would make its images differ from others'.
    hold(len(config["history"]) == 1 and "io.buildah.version" not in run["Labels"], "a builder has left its mark")


def check_static(binary):
    """Static and position-independent: it asks for no interpreter and no library."""
    (kind,) = struct.unpack_from("<H", binary, 16)
    (table,) = struct.unpack_from("<Q", binary, 32)
    size, count = struct.unpack_from("<HH", binary, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", binary, table + index * size) for index in range(count)]
    hold(binary[:5] == b"\x7fELF\x02" and kind == ET_DYN, "the binary is not position-independent")
    hold(all(header[0] != PT_INTERP for header in headers), "the binary asks for an interpreter")
    for _, _, offset, _, _, length, *_ in (header for header in headers if header[0] == PT_DYNAMIC):
        tags = [tag for tag, _ in struct.iter_unpack("<qQ", binary[offset : offset + length])]
        hold(DT_NEEDED not in tags, "the binary needs libraries")


def check_sbom(text, binary, stage, version):
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    hold(error is None, f"its SBOM is not valid: {error}")
    sbom = json.loads(text)
    subject = sbom["metadata"]["component"]
    hold((subject["name"], subject["version"]) == (f"weir-{stage}", version), "its SBOM is about something else")
    hold(subject["hashes"][0]["content"] == hashlib.sha256(binary).hexdigest(), "its SBOM is about another binary")

    references = [subject["bom-ref"]] + [each["bom-ref"] for each in sbom["components"]]
    hold(len(set(references)) == len(references), "two components have the same reference")
    hold(sorted(each["ref"] for each in sbom["dependencies"]) == sorted(references), "the graph lacks a component")
    edges = {each["ref"]: each.get("dependsOn", []) for each in sbom["dependencies"]}
    seen, waiting = set(), [subject["bom-ref"]]
    while waiting:
        reference = waiting.pop()
        if reference not in seen:
            seen.add(reference)
            waiting += edges[reference]
    hold(seen == set(references), "a component is linked by nobody")

    names = {each["name"] for each in sbom["components"]}
    hold({"weir-contract", "weir-stage", "clap", "rust-std", "glibc"} <= names, "its SBOM lacks what every binary has")
    hold(not names & {"syn", "quote", "proptest", "polars-testing"}, "its SBOM lists what is not linked")
    hold(("polars" in names) == (stage in ("features", "training", "monitor")), "its SBOM is wrong about polars")
    for each in sbom["components"]:
        hold(each.get("licenses"), f"{each['name']} has no licence")
        hold(not each["name"].startswith("weir-") or "purl" not in each, f"{each['name']} is on no registry")
        hold(not each.get("purl", "").startswith("pkg:cargo/") or each["hashes"], f"{each['name']} has no digest")


def hold(fact, otherwise):
    if not fact:
        raise SystemExit(f"FAILED: {sys.argv[1]}: {otherwise}")


main()
