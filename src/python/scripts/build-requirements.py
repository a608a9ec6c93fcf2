"""
Asks a build backend what else it wants (get_requires_for_build_wheel). Reads {folder, backend, backendPath, wheels, site, copy}
from the file named first, and writes a JSON list of requirements to the file named second.
"""

import importlib
import json
import os
import shutil
import sys
import zipfile


def install(wheel, site):
    """As much of installing as importing needs."""
    with zipfile.ZipFile(wheel) as file:
        for info in file.infolist():
            name = info.filename
            parts = name.split("/")
            if parts[0].endswith(".data"):
                if len(parts) < 3 or parts[1] not in ("purelib", "platlib", "scripts"):
                    continue
                name = "/".join((["bin"] if parts[1] == "scripts" else []) + parts[2:])
            if name.endswith("/") or not name:
                continue
            target = os.path.normpath(os.path.join(site, name))
            if not target.startswith(site + os.sep):
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with file.open(info) as source, open(target, "wb") as copy:
                shutil.copyfileobj(source, copy)
            if parts[0].endswith(".data") and parts[1] == "scripts" or info.external_attr >> 16 & 0o100:
                os.chmod(target, 0o755)


def main():
    # Backends read, and change, the arguments of the program.
    settings_file, output = sys.argv[1:]
    with open(settings_file, encoding="utf-8") as file:
        settings = json.load(file)
    site, folder = settings["site"], settings["folder"]
    os.makedirs(os.path.join(site, "bin"), exist_ok=True)
    for wheel in settings["wheels"]:
        install(wheel, site)
    if settings["copy"]:
        ignored = shutil.ignore_patterns(".git", ".hg", "node_modules", ".venv", ".direnv", "result", "result-*")
        shutil.rmtree(settings["copy"], ignore_errors=True)
        shutil.copytree(folder, settings["copy"], symlinks=True, ignore=ignored)
        folder = settings["copy"]
    os.chdir(folder)
    os.environ["PATH"] = os.path.join(site, "bin") + os.pathsep + os.environ.get("PATH", "")
    os.environ["PYTHONPATH"] = site
    sys.path[0:1] = [os.path.join(folder, path) for path in settings["backendPath"]] + [site]
    # Programs of the backend's may be modules; .pth files among the wheels count, as in an installation.
    import site as sites

    sites.addsitedir(site)
    module, _, attribute = settings["backend"].partition(":")
    backend = importlib.import_module(module)
    for name in attribute.split(".") if attribute else ():
        backend = getattr(backend, name)
    hook = getattr(backend, "get_requires_for_build_wheel", None)
    result = [] if hook is None else [str(text) for text in hook({}) or []]
    with open(output, "w", encoding="utf-8") as file:
        json.dump(result, file)


main()
