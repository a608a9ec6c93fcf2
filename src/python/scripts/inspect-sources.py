"""
Says how source distributions are built. Reads a JSON list of {key, archive | folder, subdirectory, target} from the file named
first, and writes one of {key, folder, backend, backendPath, requires, dynamic, problem} to the file named second.
"""

import json
import os
import re
import sys
import tarfile
import zipfile

LEGACY = "setuptools.build_meta:__legacy__"
LEGACY_REQUIREMENT = "setuptools>=40.8.0"
# Backends that never ask for more than pyproject.toml says.
STATIC = ("flit_core", "poetry.core", "poetry.masonry", "pdm.backend", "uv_build")


def unpack(archive, target):
    os.makedirs(target)
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            file.extractall(target)
    else:
        with tarfile.open(archive) as file:
            if hasattr(tarfile, "data_filter"):
                file.extractall(target, filter="data")
            else:
                extract_all(file, target)
    names = os.listdir(target)
    inner = os.path.join(target, names[0]) if len(names) == 1 else target
    return inner if os.path.isdir(inner) else target


def extract_all(file, target):
    """For versions of Python whose tarfile trusts archives: files and folders, and links that stay inside."""
    root = os.path.realpath(target)

    def inside(path):
        path = os.path.realpath(os.path.join(root, path))
        return path == root or path.startswith(root + os.sep)

    for member in file:
        kept = member.isfile() or member.isdir()
        if member.issym():
            kept = not os.path.isabs(member.linkname) and inside(os.path.join(os.path.dirname(member.name), member.linkname))
        elif member.islnk():
            kept = inside(member.linkname)
        if not inside(member.name):
            raise ValueError(f"its file {member.name!r} would lie outside of the folder that it is unpacked in")
        if kept:
            file.extract(member, root, set_attrs=False)


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def project_table(folder):
    text = read(os.path.join(folder, "pyproject.toml"))
    if text is None:
        return None
    try:
        import tomllib
    except ImportError:
        from pip._vendor import tomli as tomllib
    return tomllib.loads(text)


def canonical(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"\s*([A-Za-z0-9._-]*)", requirement).group(1)).lower()


def texts(value, what):
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(what + " is not a list of strings")
    return value


def describe(folder):
    project = project_table(folder)
    has_setup = os.path.exists(os.path.join(folder, "setup.py"))
    if project is None and not has_setup:
        raise ValueError("it has neither pyproject.toml nor setup.py")
    system = (project or {}).get("build-system")
    if system is None:
        system = {"requires": [LEGACY_REQUIREMENT]}
    requires = list(texts(system.get("requires", []), "build-system.requires"))
    backend = system.get("build-backend")
    if backend is None:
        backend = LEGACY
        if "setuptools" not in map(canonical, requires):
            requires.append(LEGACY_REQUIREMENT)
    path = texts(system.get("backend-path", []), "build-system.backend-path")
    return {
        "backend": backend,
        "backendPath": path,
        "requires": requires,
        "dynamic": bool(path) or is_dynamic(backend, requires, folder, project or {}, has_setup),
    }


def is_dynamic(backend, requires, folder, project, has_setup):
    module = backend.split(":")[0]
    if any(module == name or module.startswith(name + ".") for name in STATIC):
        return False
    if module == "hatchling.build":
        tables = json.dumps(project.get("tool", {}).get("hatch", {}), default=str)
        return "hooks" in tables or '"dependencies"' in tables or os.path.exists(os.path.join(folder, "hatch.toml"))
    if module == "setuptools.build_meta":
        # Only setup.py and setup.cfg can ask for more; old versions ask for wheel.
        old = any(canonical(text) == "setuptools" and re.search(r"<|==|~=", text.split(";")[0]) for text in requires)
        return has_setup or old or "setup_requires" in (read(os.path.join(folder, "setup.cfg")) or "")
    return True


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        wanted = json.load(file)
    found = []
    for item in wanted:
        result = {"key": item["key"], "folder": "", "backend": "", "backendPath": [], "requires": [], "dynamic": False}
        try:
            folder = item.get("folder") or unpack(item["archive"], item["target"])
            folder = os.path.join(folder, item.get("subdirectory") or "")
            result.update(describe(folder), folder=folder)
        except Exception as error:
            result["problem"] = str(error) or type(error).__name__
        found.append(result)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(found, file)


main()
