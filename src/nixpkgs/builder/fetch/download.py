"""Downloads a file to $out, unpacked if `unpack` says so. A fixed output: the network is there, the hash decides."""

import os
import shutil
import ssl
import stat
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
import zipfile


def download(urls, destination):
    bundle = os.environ.get("NIX_SSL_CERT_FILE") or os.environ.get("SSL_CERT_FILE")
    if not bundle or not os.path.exists(bundle):
        bundle = os.environ["caBundle"]
    context = ssl.create_default_context(cafile=bundle)
    failures = []
    for url in urls:
        for attempt in range(4):
            try:
                request = urllib.request.Request(url, headers={"User-Agent": "d2n"})
                with urllib.request.urlopen(request, context=context, timeout=60) as response, open(destination, "wb") as file:
                    shutil.copyfileobj(response, file)
                return
            except urllib.error.HTTPError as error:
                failures.append(f"{url}: {error}")
                if error.code < 500 and error.code != 429:
                    break
            except (OSError, urllib.error.URLError) as error:
                failures.append(f"{url}: {error}")
            time.sleep(2**attempt)
    sys.exit("error: the download failed:\n  " + "\n  ".join(failures))


def unpack(archive, directory):
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as contents:
            for info in contents.infolist():
                target = contents.extract(info, directory)
                mode = info.external_attr >> 16
                if stat.S_ISLNK(mode):
                    link = open(target, encoding="utf-8").read()
                    os.unlink(target)
                    os.symlink(link, target)
                elif mode & 0o111 and not info.is_dir():
                    os.chmod(target, 0o755)
        return
    with tarfile.open(archive) as contents:
        if sys.version_info >= (3, 12):
            contents.extractall(directory, filter="tar")
        else:
            contents.extractall(directory)


def main():
    top = os.environ["NIX_BUILD_TOP"]
    out = os.environ["out"]
    archive, directory = os.path.join(top, "archive"), os.path.join(top, "unpacked")
    download(os.environ["urls"].split(), archive)
    if os.environ.get("unpack"):
        unpack_to(archive, directory, out)
    else:
        shutil.move(archive, out)
        os.chmod(out, 0o644)
    script = os.environ.get("postFetch")
    if script:
        subprocess.run([os.environ["SHELL_PROGRAM"], "-e", "-c", script], check=True, cwd=top)


def unpack_to(archive, directory, out):
    os.mkdir(directory)
    unpack(archive, directory)
    if os.environ.get("stripRoot"):
        entries = os.listdir(directory)
        if len(entries) != 1:
            sys.exit("error: the archive must have one file or directory at its top (otherwise say stripRoot = false); it has " + ", ".join(sorted(entries)))
        directory = os.path.join(directory, entries[0])
    shutil.move(directory, out)
    for root, directories, _ in os.walk(out):
        for name in directories:
            path = os.path.join(root, name)
            if not os.path.islink(path):
                os.chmod(path, os.stat(path).st_mode | 0o700)


main()
