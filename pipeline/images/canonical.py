"""Rewrites an image so that its bytes depend on its content alone: canonical.py IMAGE.tar OUT.tar NAME CREATED

Builders put into an image the times at which they ran, their own versions and histories of their own making; some have
a switch against some of that, none has one against all. Read is what `docker save` or `podman save --format
docker-archive` write; written is the same kind of file, with one layer, its files in the order of their names and
without times and owners, and with what the Containerfile says of the image and nothing else. CREATED is the image's
time, as in 2026-01-31T12:00:00Z. Prints the image's id and its size in bytes, unpacked: the id is the SHA-256 of its
configuration, which holds that of the layer.
"""

import hashlib
import io
import json
import sys
import tarfile

# What a Containerfile can say of an image.
KEPT = ("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal")
BUILDER_LABELS = ("io.buildah.version",)


def main():
    image, out, name, created = sys.argv[1:]
    with tarfile.open(image) as archive:
        manifest = json.load(archive.extractfile("manifest.json"))[0]
        said = json.load(archive.extractfile(manifest["Config"]))
        layer = tar_of(files_of(archive, manifest["Layers"]))
    config = encoded(configuration(said, layer, created))
    config_digest, layer_digest = digest(config), digest(layer)
    files = {
        "manifest.json": encoded(
            [{"Config": f"{config_digest}.json", "RepoTags": [name], "Layers": [f"{layer_digest}.tar"]}]
        ),
        f"{config_digest}.json": config,
        f"{layer_digest}.tar": layer,
    }
    with open(out, "wb") as file:
        file.write(tar_of({path: (regular(0o644), content) for path, content in files.items()}))
    print(f"sha256:{config_digest}", len(layer))


def configuration(said, layer, created):
    """The image's configuration, with members in the order of the OCI image specification."""
    # Some builders write down the default, others leave it out.
    known = said["config"] | {"WorkingDir": said["config"].get("WorkingDir") or "/"}
    config = {key: known[key] for key in KEPT if known.get(key)}
    labels = config.get("Labels", {})
    config["Labels"] = {key: labels[key] for key in sorted(labels) if labels[key] and key not in BUILDER_LABELS}
    return {
        "created": created,
        "architecture": said["architecture"],
        "os": said["os"],
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest(layer)}"]},
        "history": [{"created": created, "created_by": "Containerfile"}],
    }


def files_of(archive, layers):
    """What the layers hold together: path to (entry, content). Nothing is deleted in an image that starts empty."""
    files = {}
    for layer in layers:
        with tarfile.open(fileobj=archive.extractfile(layer)) as entries:
            for entry in entries:
                path = entry.name.removeprefix("./").strip("/")
                if not (entry.isdir() or entry.isreg()):
                    raise SystemExit(f"error: /{path} is neither a file nor a directory")
                if path not in ("", "."):
                    files[path] = (entry, entries.extractfile(entry).read() if entry.isreg() else b"")
    return files


def tar_of(files):
    """A tar of path to (entry, content), of which type and mode count."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, (entry, content) in sorted(files.items()):
            plain = tarfile.TarInfo(path)
            plain.type, plain.mode, plain.size = entry.type, entry.mode & 0o7777, len(content)
            tar.addfile(plain, io.BytesIO(content))
    return packed.getvalue()


def regular(mode):
    entry = tarfile.TarInfo()
    entry.mode = mode
    return entry


def encoded(value):
    return json.dumps(value, separators=(",", ":")).encode()


def digest(content):
    return hashlib.sha256(content).hexdigest()


main()
