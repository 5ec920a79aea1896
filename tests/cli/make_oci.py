#!/usr/bin/env python3
"""make_oci.py: writes an image as an OCI layout directory, without a network or a builder.

    make_oci.py [--compression gzip|plain] [--platform OS/ARCH]... OUT LAYER...

Each LAYER is a folder, or one file, and becomes one layer of the image: a tar, with every time and
owner zero, so that the same files make the same digests. Two or more platforms make an index with an
image for each, which differ in their last layer (etc/platform). The layout has the one tag `latest`.

Standard output: a line "KIND DIGEST SIZE" for every blob; KIND is layer, config, manifest or index.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import tarfile

LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    def __init__(self, directory):
        self.directory = directory
        os.makedirs(os.path.join(directory, "blobs", "sha256"))
        self.write("oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())

    def write(self, name, data):
        with open(os.path.join(self.directory, name), "wb") as file:
            file.write(data)

    def add(self, kind, media_type, data):
        """Writes a blob; its descriptor."""
        digest = digest_of(data)
        self.write("blobs/" + digest.replace(":", "/"), data)
        print(kind, digest, len(data))
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def add_json(self, kind, media_type, document):
        return self.add(kind, media_type, json.dumps(document, sort_keys=True).encode())


def timeless(info):
    info.mtime = info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def tar_of(path):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        if os.path.isdir(path):
            for name in sorted(os.listdir(path)):
                tar.add(os.path.join(path, name), name, filter=timeless)
        else:
            tar.add(path, os.path.basename(path), filter=timeless)
    return out.getvalue()


def tar_of_text(name, text):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = timeless(tarfile.TarInfo(name))
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    return out.getvalue()


def add_image(layout, tars, compression, platform):
    layers = []
    for tar in tars:
        if compression == "gzip":
            layers.append(layout.add("layer", LAYER_TYPE + "+gzip", gzip.compress(tar, 6, mtime=0)))
        else:
            layers.append(layout.add("layer", LAYER_TYPE, tar))
    system, architecture = platform.split("/")
    config = layout.add_json(
        "config",
        CONFIG_TYPE,
        {
            "created": "1970-01-01T00:00:00Z",
            "os": system,
            "architecture": architecture,
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(tar) for tar in tars]},
        },
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": config,
        "layers": layers,
    }
    return layout.add_json("manifest", MANIFEST_TYPE, manifest)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compression", choices=["gzip", "plain"], default="gzip")
    parser.add_argument("--platform", action="append", default=[])
    parser.add_argument("out")
    parser.add_argument("layer", nargs="+")
    options = parser.parse_args()

    platforms = options.platform or ["linux/amd64"]
    layout = Layout(options.out)
    tars = [tar_of(path) for path in options.layer]
    manifests = []
    for platform in platforms:
        own = [tar_of_text("etc/platform", platform.encode())] if len(platforms) > 1 else []
        manifest = add_image(layout, tars + own, options.compression, platform)
        system, architecture = platform.split("/")
        manifests.append({**manifest, "platform": {"os": system, "architecture": architecture}})
    top = manifests[0]
    if len(manifests) > 1:
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": manifests}
        top = layout.add_json("index", INDEX_TYPE, index)
    top = {**top, "annotations": {"org.opencontainers.image.ref.name": "latest"}}
    layout.write("index.json", json.dumps({"schemaVersion": 2, "manifests": [top]}).encode())


main()
