"""What the phases of a Python package leave to Python. Runs on every interpreter from 3.9 on, inside the sandbox."""

import argparse
import ast
import base64
import compileall
import csv
import hashlib
import importlib
import io
import os
import py_compile
import re
import struct
import sys
import zipfile
from pathlib import Path


def packaging(module):
    """A module of `packaging`, which pip carries in any case."""
    try:
        return importlib.import_module("packaging." + module)
    except ImportError:
        return importlib.import_module("pip._vendor.packaging." + module)


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def fail(*lines):
    print("\n".join(("error: " + lines[0],) + lines[1:]), file=sys.stderr)
    sys.exit(1)


# ---- before the build


def read_pyproject(directory):
    file = Path(directory, "pyproject.toml")
    if not file.exists():
        return {}
    try:
        import tomllib
    except ImportError:
        from pip._vendor import tomli as tomllib
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        fail(f"pyproject.toml cannot be read: {error}")


def requirements(directory):
    """Says which parts of the build system are missing, or have another version, before the backend fails over it."""
    system = read_pyproject(directory).get("build-system", {})
    parse = packaging("requirements")
    from importlib import metadata

    missing, other = [], []
    for text in system.get("requires", []):
        try:
            requirement = parse.Requirement(text)
        except parse.InvalidRequirement:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            missing.append(requirement)
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            other.append(f"{requirement} (there is {version})")
    for text in other:
        print(f"warning: the build system wants {text}", file=sys.stderr)
    backend = system.get("build-backend")
    # What the backend lives in must be there. Wheel and the like are often named without being needed.
    fatal = [r for r in missing if backend is not None and backend_from(backend, r.name)]
    for requirement in missing:
        if requirement not in fatal:
            print(f"warning: the build system wants {requirement}, which is not among the inputs", file=sys.stderr)
    if fatal:
        names = [canonical(r.name) for r in fatal]
        fail(
            f"the build system of this package is not among its inputs: {', '.join(str(r) for r in fatal)}",
            f"It is named in pyproject.toml (build-backend = \"{backend}\"). Add it to build-system or nativeBuildInputs, for instance",
            *(f"  python.pkgs.{name}" for name in names),
        )


BACKENDS = {
    "flit-core": "flit_core",
    "hatchling": "hatchling",
    "poetry-core": "poetry.core",
    "poetry": "poetry.masonry",
    "pdm-backend": "pdm.backend",
    "pdm-pep517": "pdm.pep517",
    "scikit-build-core": "scikit_build_core",
    "meson-python": "mesonpy",
    "maturin": "maturin",
    "setuptools": "setuptools",
    "uv-build": "uv_build",
    "whey": "whey",
    "jupyter-packaging": "jupyter_packaging",
    "py-build-cmake": "py_build_cmake",
    "sip": "sipbuild",
    "mesonpep517": "mesonpep517",
    "pymsbuild": "pymsbuild",
    "enscons": "enscons",
}


def backend_from(backend, name):
    module = BACKENDS.get(canonical(name), canonical(name).replace("-", "_"))
    return backend.split(":")[0].startswith(module)


# ---- wheels


def relax(wheel, relaxed, removed):
    """Rewrites a wheel's requirements: without version bounds, or without some of them."""
    parse = packaging("requirements")
    everything = relaxed in (["true"], ["1"]), removed in (["true"], ["1"])
    loosen = {canonical(n) for n in relaxed}
    drop = {canonical(n) for n in removed}

    def change(text):
        requirement = parse.Requirement(text)
        name = canonical(requirement.name)
        if everything[1] or name in drop:
            print(f"removing the requirement {requirement}")
            return None
        if everything[0] or name in loosen:
            print(f"relaxing the requirement {requirement}")
            requirement.specifier = packaging("specifiers").SpecifierSet()
            return str(requirement)
        return text

    rewrite(wheel, change)


def mend(wheel):
    """
    Requirements of old wheels that today's pip refuses, as in celery 4's `pytz (>dev)`, lose what it cannot read. pip before 24.1,
    which locks unless a project says otherwise, reads past it; and nothing is resolved any more when a wheel is installed.
    """
    parse = packaging("requirements")

    def change(text):
        try:
            parse.Requirement(text)
            return text
        except parse.InvalidRequirement:
            name, extras, marker = re.match(r"([\w.-]*)\s*(\[[^]]*\])?[^;]*(;.*)?", text).groups(default="")
        for simpler in (f"{name}{extras} {marker}".strip(), name):
            try:
                parse.Requirement(simpler)
            except parse.InvalidRequirement:
                continue
            print(f"reading the requirement '{text}', which is malformed, as '{simpler}'")
            return simpler
        print(f"leaving out the requirement '{text}', which is malformed")
        return None

    rewrite(wheel, change)


def rewrite(wheel, change):
    """Puts each requirement of a wheel through `change`, which gives None to leave it out."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = [n for n in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n)]
        changed = {}
        for name in metadata:
            data = archive.read(name)
            head, separator, body = data.decode("utf-8", "surrogateescape").partition("\n\n")
            lines = []
            for line in head.split("\n"):
                if line.lower().startswith("requires-dist:"):
                    before = line.split(":", 1)[1].strip()
                    after = change(before)
                    if after is None:
                        continue
                    if after != before:
                        line = f"Requires-Dist: {after}"
                lines.append(line)
            rewritten = ("\n".join(lines) + separator + body).encode("utf-8", "surrogateescape")
            if rewritten != data:
                changed[name] = rewritten
        if not changed:
            return
        entries = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, data in entries:
            if info.filename.endswith(".dist-info/RECORD"):
                data = update_record(data, changed)
            archive.writestr(info, changed.get(info.filename, data))


def update_record(record, changed):
    rows = []
    for row in csv.reader(io.StringIO(record.decode("utf-8"))):
        if row and row[0] in changed:
            data = changed[row[0]]
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            row = [row[0], "sha256=" + digest, str(len(data))]
        rows.append(row)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8")


def runtime_deps(wheel):
    """Every requirement of the wheel must be met by what can be imported."""
    parse = packaging("requirements")
    from importlib import metadata

    with zipfile.ZipFile(wheel) as archive:
        name = next((n for n in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n)), None)
        if name is None:
            fail(f"{wheel} has no metadata")
        head = archive.read(name).decode("utf-8").partition("\n\n")[0]
    wrong = []
    for line in head.split("\n"):
        if not line.lower().startswith("requires-dist:"):
            continue
        requirement = parse.Requirement(line.split(":", 1)[1].strip())
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"  - {requirement.name} not installed")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"  - {requirement.name}{requirement.specifier} not satisfied by version {version}")
    if wrong:
        fail(
            f"requirements of {os.path.basename(wheel)} are not met:",
            *wrong,
            "Add them to dependencies, or take them out with pythonRelaxDeps or pythonRemoveDeps (dontCheckRuntimeDeps = true skips this check).",
        )


# ---- after the installation


def finish(site):
    """Makes an installation the same in every build, and fit for an interpreter that brings the C libraries."""
    site = Path(site)
    for record in sorted(site.glob("*.dist-info/RECORD")):
        forget_origin(record)
    for file in sorted(site.rglob("*")):
        if file.is_file() and not file.is_symlink():
            runpath_to_rpath(file)
    for cache in site.rglob("__pycache__"):
        for file in cache.glob("*.pyc"):
            file.unlink()
    compileall.compile_dir(
        str(site), maxlevels=100, quiet=2, force=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )


def forget_origin(record):
    """pip notes where it took the wheel from: a directory of the build."""
    origin = record.parent / "direct_url.json"
    if not origin.exists():
        return
    origin.unlink()
    unwanted = f"{record.parent.name}/direct_url.json,"
    lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
    record.write_text("".join(line for line in lines if not line.startswith(unwanted)), encoding="utf-8")


def runpath_to_rpath(file):
    """
    DT_RUNPATH becomes DT_RPATH, one byte in place: an object with the former is not searched for in the RPATH of the
    executable, which is where the interpreter brings glibc, the compiler's libraries, zlib and expat.
    """
    with open(file, "rb") as stream:
        head = stream.read(64)
        if head[:4] != b"\x7fELF" or len(head) < 64 or head[4] != 2 or head[5] != 1:
            return
        (offset,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        at = None
        for index in range(count):
            stream.seek(offset + index * size)
            entry = stream.read(56)
            if len(entry) < 56:
                return
            kind, _, start, _, _, length = struct.unpack_from("<IIQQQQ", entry)
            if kind != 2:  # PT_DYNAMIC
                continue
            for position in range(start, start + length, 16):
                stream.seek(position)
                tag = stream.read(8)
                if len(tag) < 8 or tag == bytes(8):
                    break
                if struct.unpack("<Q", tag)[0] == 0x1D:
                    at = position
                    break
    if at is not None:
        mode = file.stat().st_mode
        file.chmod(mode | 0o200)
        with open(file, "r+b") as stream:
            stream.seek(at)
            stream.write(struct.pack("<Q", 0x0F))
        file.chmod(mode)


def wrap(directory, path, modules, no_user_site, named):
    """
    Python scripts get a line of code that adds the directories of their modules; what follows the #! line, a docstring and
    imports from __future__ stays as it is. Prints the files that were changed, each followed by a NUL byte.
    """
    for file in sorted(Path(directory).iterdir()):
        if not file.is_file() or file.is_symlink() or not os.access(file, os.X_OK):
            continue
        data = file.read_bytes()
        first, _, rest = data.partition(b"\n")
        if not re.match(rb"#!.*[/ ]\.?(python|pypy)", first):
            continue
        if re.match(rb"#!.*/env\s+(python|pypy)", first):
            first = b"#!" + sys.executable.encode()
        try:
            text = rest.decode("utf-8")
            line, column_ok = insertion_line(text)
        except (UnicodeDecodeError, SyntaxError):
            print(f"warning: {file} cannot be parsed and is left as it is", file=sys.stderr)
            continue
        if not column_ok:
            print(f"warning: {file} has several statements in the line to be changed and is left as it is", file=sys.stderr)
            continue
        lines = text.splitlines(keepends=True)
        code = startup(file, path, modules, no_user_site, named)
        mode = file.stat().st_mode
        file.chmod(mode | 0o200)
        file.write_bytes(first + b"\n" + ("".join(lines[:line]) + code + "".join(lines[line:])).encode("utf-8"))
        file.chmod(mode)
        sys.stdout.write(str(file) + "\0")


def insertion_line(text):
    """The number of lines that must stay in front, and whether the place is the start of a line."""
    previous_end = 0
    for index, node in enumerate(ast.parse(text).body):
        docstring = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if docstring or future:
            previous_end = node.end_lineno
            continue
        return previous_end if previous_end else comment_lines(text), node.lineno > previous_end
    return (previous_end if previous_end else comment_lines(text)), True


def comment_lines(text):
    """Comments at the top: an encoding declaration may be among them."""
    count = 0
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        count += 1
    return count


def startup(file, path, modules, no_user_site, named):
    statements = ["import os, site, sys"]
    if named:
        # A shell wrapper runs the script under another name.
        statements.append(f"sys.argv[0] = {str(file)!r}")
    if path:
        statements.append(f"os.environ['PATH'] = {path!r} + os.pathsep + os.environ.get('PATH', '')")
    if no_user_site:
        statements.append("os.environ['PYTHONNOUSERSITE'] = 'true'")
        statements.append("sys.path[:] = [d for d in sys.path if d != site.USER_SITE]")
    for directory in modules.split(":"):
        if directory:
            statements.append(f"site.addsitedir({directory!r})")
    return "; ".join(statements) + "\n"


# ---- checks


def propagated(root):
    """A package and all packages that it propagates."""
    seen, queue = [], [root]
    while queue:
        path = queue.pop(0)
        if path in seen:
            continue
        seen.append(path)
        file = Path(path, "nix-support", "propagated-build-inputs")
        if file.is_file():
            queue.extend(file.read_text().split())
    return seen


def conflicts(root, site_packages):
    """One distribution, two packages: which one is imported would be a matter of order."""
    found = {}
    for path in propagated(root):
        site = Path(path, site_packages)
        if not site.is_dir():
            continue
        for entry in sorted(os.listdir(site)):
            match = re.fullmatch(r"(.+?)-([^-]+)(-py[\d.]+)?\.(dist|egg)-info", entry)
            if match:
                found.setdefault(canonical(match[1]), {})[path] = match[2]
    lines = []
    for name in sorted(found):
        if len(found[name]) > 1:
            lines.append(f"Found duplicated packages in closure for dependency '{name}':")
            lines.extend(f"  {name} {version} ({path})" for path, version in sorted(found[name].items()))
    if lines:
        fail(
            "package duplicates found in closure, see below",
            *lines,
            "Take one of them out of the dependencies, or set catchConflicts = false.",
        )


def imports(modules):
    for module in modules:
        importlib.import_module(module)


def main(arguments):
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("requirements").add_argument("directory")
    command = commands.add_parser("relax")
    command.add_argument("wheel")
    command.add_argument("--relax", nargs="*", default=[])
    command.add_argument("--remove", nargs="*", default=[])
    commands.add_parser("mend").add_argument("wheel")
    commands.add_parser("runtime-deps").add_argument("wheel")
    commands.add_parser("finish").add_argument("site")
    command = commands.add_parser("wrap")
    command.add_argument("directory")
    command.add_argument("--path", default="")
    command.add_argument("--modules", default="")
    command.add_argument("--no-user-site", action="store_true")
    command.add_argument("--named", action="store_true")
    command = commands.add_parser("conflicts")
    command.add_argument("root")
    command.add_argument("site_packages")
    commands.add_parser("imports").add_argument("modules", nargs="*")
    a = parser.parse_args(arguments)
    if a.command == "requirements":
        requirements(a.directory)
    elif a.command == "relax":
        relax(a.wheel, a.relax, a.remove)
    elif a.command == "mend":
        mend(a.wheel)
    elif a.command == "runtime-deps":
        runtime_deps(a.wheel)
    elif a.command == "finish":
        finish(a.site)
    elif a.command == "wrap":
        wrap(a.directory, a.path, a.modules, a.no_user_site, a.named)
    elif a.command == "conflicts":
        conflicts(a.root, a.site_packages)
    else:
        imports(a.modules)


if __name__ == "__main__":
    # Not from the directory of this file, which is the store.
    sys.path[:] = [p for p in sys.path if p != os.path.dirname(os.path.abspath(__file__))]
    main(sys.argv[1:])
