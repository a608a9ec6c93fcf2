"""Container images in Docker's archive format (`docker load`): layers of store paths below one of its own files.

docker-image.py tree link|copy FOLDER PATH…            fills the root folder from packages; the first has precedence
docker-image.py layer FOLDER LAYER.tar UID GID TIME    packs a folder as a layer; UID `keep` leaves the owners
docker-image.py plan ATTRIBUTES.json PLAN.json         divides a closure into layers
docker-image.py stream PLAN.json NAME:TAG              writes the image to standard output

Everything is in a fixed order and with fixed times, so that the same inputs make the same bytes.
"""

import datetime
import hashlib
import io
import json
import os
import shutil
import sys
import tarfile


def add_tree(tar, path, name, owner, mtime):
    """A file, a link or a folder with all in it, sorted."""
    entry = tar.gettarinfo(path, arcname=name)
    if owner is not None:
        entry.uid, entry.gid = owner
    entry.uname = entry.gname = ""
    entry.mtime = mtime
    if entry.isreg():
        with open(path, "rb") as file:
            tar.addfile(entry, file)
        return
    tar.addfile(entry)
    if entry.isdir():
        for child in sorted(os.listdir(path)):
            add_tree(tar, os.path.join(path, child), f"{name}/{child}", owner, mtime)


def add_folder(tar, name, mtime):
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, mtime
    tar.addfile(entry)


class NoLinks(dict):
    """In place of a tar's table of files seen before: hard links would depend on what else the store holds."""

    def __setitem__(self, key, value):
        pass


def fill(mode, target, path):
    for name in sorted(os.listdir(path)):
        source, place = os.path.join(path, name), os.path.join(target, name)
        real_folder = os.path.isdir(source) and not os.path.islink(source)
        if not os.path.lexists(place):
            if real_folder:
                os.mkdir(place)
                fill(mode, place, source)
            elif mode == "copy":
                shutil.copy2(source, place, follow_symlinks=False)
            else:
                os.symlink(source, place)
        elif os.path.isdir(source) and os.path.isdir(place):
            if os.path.islink(place):
                # Two packages have this folder: from now on it is one of its own.
                first = os.path.realpath(place)
                os.unlink(place)
                os.mkdir(place)
                fill(mode, place, first)
            fill(mode, place, source)


def fill_root(mode, target, *paths):
    for path in paths:
        if not os.path.isdir(path):
            sys.exit(f"{path} is no folder: what an image contains has to be a package")
        fill(mode, target, path)


def pack_layer(folder, target, uid, gid, mtime):
    owner = None if uid == "keep" else (int(uid), int(gid))
    with open(target, "wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.inodes = NoLinks()
        for child in sorted(os.listdir(folder)):
            add_tree(tar, os.path.join(folder, child), child, owner, int(mtime))


def pack_paths(file, paths, mtime):
    tar = tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT)
    tar.inodes = NoLinks()
    parents = set()
    for path in paths:
        parts = path.strip("/").split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            if parent not in parents:
                parents.add(parent)
                add_folder(tar, parent, mtime)
        add_tree(tar, path, path.strip("/"), (0, 0), mtime)
    tar.close()


def plan(attributes, target):
    """What many need comes first and alone, so that images share it; what is left over shares the last layer."""
    with open(attributes, encoding="utf-8") as file:
        given = json.load(file)
    leave_out = set(given["leaveOut"])
    graph = {node["path"]: node["references"] for node in given["graph"]}
    users = {path: 0 for path in graph}
    for start in graph:
        seen, todo = {start}, [start]
        while todo:
            for reference in graph[todo.pop()]:
                if reference not in seen:
                    seen.add(reference)
                    todo.append(reference)
        for path in seen - {start}:
            users[path] += 1
    paths = sorted((path for path in graph if path not in leave_out), key=lambda path: (-users[path], path))
    room = given["image"]["maxLayers"]
    alone, together = (paths, []) if len(paths) <= room else (paths[: room - 1], sorted(paths[room - 1 :]))
    layers = [[path] for path in alone] + ([together] if together else [])
    with open(given["config"], encoding="utf-8") as file:
        config = json.load(file)
    with open(target, "w", encoding="utf-8") as file:
        json.dump({**given["image"], "config": config, "layers": layers if given["withStore"] else []}, file, indent=1)


class Hashing:
    """A file that counts and hashes what is written, and keeps nothing."""

    def __init__(self):
        self.size = 0
        self.hash = hashlib.sha256()

    def write(self, data):
        self.size += len(data)
        self.hash.update(data)


class Image:
    def __init__(self, out, mtime):
        self.tar = tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT)
        self.mtime = mtime
        self.diff_ids, self.names, self.history = [], [], []

    def header(self, name, size):
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, 0o444, self.mtime
        return entry

    def add_bytes(self, name, data):
        self.tar.addfile(self.header(name, len(data)), io.BytesIO(data))

    def add_layer(self, write, history):
        """`write` is called twice: a tar's header says how long a member is before the member comes."""
        counted = Hashing()
        write(counted)
        digest = counted.hash.hexdigest()
        name = f"{digest}/layer.tar"
        if name not in self.names:
            self.write_member(name, counted.size, write)
        self.names.append(name)
        self.diff_ids.append(f"sha256:{digest}")
        self.history.append(history)

    def write_member(self, name, size, write):
        """By hand: tarfile can only copy a member out of a file, and a layer never is one."""
        entry = self.header(name, size)
        self.tar.fileobj.write(entry.tobuf(self.tar.format, self.tar.encoding, self.tar.errors))
        write(self.tar.fileobj)
        padding = -size % tarfile.BLOCKSIZE
        self.tar.fileobj.write(b"\0" * padding)
        self.tar.offset += size + padding


def base_image(path):
    """Configuration and layers of an image that this one builds on."""
    with tarfile.open(path, "r:*") as tar:
        manifest = json.load(tar.extractfile("manifest.json"))[0]
        config = json.load(tar.extractfile(manifest["Config"]))
    return config, manifest["Layers"]


def add_base(image, path, config, layers):
    with tarfile.open(path, "r:*") as tar:
        history = [entry for entry in config.get("history", []) if not entry.get("empty_layer")]
        for index, name in enumerate(layers):

            def write(out, name=name):
                member = tar.extractfile(name)
                while data := member.read(1 << 20):
                    out.write(data)

            image.add_layer(write, history[index] if index < len(history) else {"comment": "base image"})


def merge_env(base, own):
    """Variables of the base first; those that the image sets itself win."""
    names = {variable.split("=", 1)[0] for variable in own}
    return [variable for variable in base if variable.split("=", 1)[0] not in names] + own


def seconds(text):
    return int(datetime.datetime.fromisoformat(text).timestamp())


def stream(plan_file, repo_tag, out):
    with open(plan_file, encoding="utf-8") as file:
        given = json.load(file)
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    created = now.isoformat() if given["created"] == "now" else given["created"]
    mtime = int(now.timestamp()) if given["mtime"] == "now" else seconds(given["mtime"])
    image = Image(out, mtime)
    config = dict(given["config"])
    if given["fromImage"] is not None:
        base, layers = base_image(given["fromImage"])
        add_base(image, given["fromImage"], base, layers)
        inherited = (base.get("config") or {}).get("Env") or []
        if inherited or config.get("Env"):
            config["Env"] = merge_env(inherited, config.get("Env") or [])
    for paths in given["layers"]:
        image.add_layer(
            lambda file, paths=paths: pack_paths(file, paths, mtime),
            {"created": created, "comment": "store paths: " + json.dumps(paths)},
        )

    def own_files(file):
        with open(given["customisation"], "rb") as layer:
            while data := layer.read(1 << 20):
                file.write(data)

    image.add_layer(own_files, {"created": created, "comment": "the image's own files"})
    document = {
        "created": created,
        "architecture": given["architecture"],
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": image.diff_ids},
        "history": image.history,
    }
    data = json.dumps(document, indent=1).encode()
    name = f"{hashlib.sha256(data).hexdigest()}.json"
    image.add_bytes(name, data)
    manifest = [{"Config": name, "RepoTags": [repo_tag], "Layers": image.names}]
    image.add_bytes("manifest.json", json.dumps(manifest, indent=1).encode())
    image.tar.close()
    out.flush()


def main():
    command, *arguments = sys.argv[1:]
    if command == "tree":
        fill_root(*arguments)
    elif command == "layer":
        pack_layer(*arguments)
    elif command == "plan":
        plan(*arguments)
    else:
        if sys.stdout.isatty():
            sys.exit("this would write a container image to your terminal; pipe it: … | docker load")
        try:
            stream(*arguments, sys.stdout.buffer)
        except BrokenPipeError:
            # Whoever reads has said why it ended.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.exit(1)


main()
