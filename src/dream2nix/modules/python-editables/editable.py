"""Makes packages of the working tree importable in a development shell. Runs on every interpreter from 3.9 on.

    python -I editable.py SETTINGS      prints shell code that lets the shell see them
    python editable.py --backend …      what talks to the build system of one package, in a process of its own

What is written lies in `.dream2nix/python/<name of the package>` below the root of the project: `site` with the metadata and
what leads Python to the sources, `bin` with the programs, `native` with compiled modules. It is made anew when the settings,
a file that describes the build, or (for packages with compiled modules) a source of these has changed.
"""

import json
import os
import sys

NATIVE_SOURCES = (
    ".c .cc .cpp .cxx .h .hh .hpp .hxx .inc .pyx .pxd .pxi .rs .f .f77 .f90 .f95 .pyf .s .S .cu .go .zig .m .mm .cmake .build .toml"
).split()
BUILD_FILES = ["pyproject.toml", "setup.py", "setup.cfg"]
# Where build systems look for metadata that pyproject.toml calls dynamic: the version, above all.
METADATA_FILES = ("__init__.py", "__about__.py", "__version__.py", "_version.py", "version.py")
METADATA_NAMES = ("version", "requirements")
# In a log: behind it is only the attempt to get metadata.
AFTER_FAILURE = "---- asking for metadata alone"
# Folders that hold no sources.
SKIPPED = {"node_modules", "build", "dist", "target", "__pycache__", "venv"}


def main(argument):
    settings = json.loads(argument)
    root = find_root(settings["marker"])
    if root is None:
        say(
            f"warning: no folder from {os.getcwd()} upwards holds {settings['marker']}: "
            f"the working tree of {settings['name']} is not used"
        )
        print(exports(None, settings))
        return
    home = os.path.join(root, ".dream2nix")
    place = os.path.join(home, "python", file_name(settings["name"]))
    folders = {name: os.path.normpath(os.path.join(root, path)) for name, path in settings["editables"].items()}
    key = [root, settings, os.path.abspath(__file__)]
    if not is_current(place, key, folders):
        rebuild(home, place, key, folders, settings)
    print(exports(place, settings))


def find_root(marker):
    """The folder with the marker from here upwards, else from the folder of the flake that the shell belongs to."""
    for start in (os.getcwd(), os.environ.get("D2N_PROJECT_ROOT")):
        folder = start
        while folder:
            if os.path.exists(os.path.join(folder, marker)):
                return folder
            parent = os.path.dirname(folder)
            folder = None if parent == folder else parent
    return None


def exports(place, settings):
    environment = settings["environment"]
    paths, programs = [os.path.join(environment, settings["sitePackages"])], [os.path.join(environment, "bin")]
    lines = []
    if place is not None:
        paths.insert(0, os.path.join(place, "site"))
        programs.insert(0, os.path.join(place, "bin"))
        cache = quote(os.path.join(os.path.dirname(place), "pycache"))
        # The project stays free of __pycache__.
        lines.append('if [ -z "${PYTHONPYCACHEPREFIX:-}" ]; then export PYTHONPYCACHEPREFIX=' + cache + "; fi")
    for variable, entries in (("PYTHONPATH", paths), ("PATH", programs)):
        lines.append(f'export {variable}={quote(":".join(entries))}"${{{variable}:+:${variable}}}"')
    return "\n".join(lines)


# ---- is everything as it was


def is_current(place, key, folders):
    try:
        with open(os.path.join(place, "state.json"), encoding="utf-8") as file:
            state = json.load(file)
    except (OSError, ValueError):
        return False
    return state["key"] == key and all(
        state["seen"].get(name) == look(folder, name in state["native"]) for name, folder in folders.items()
    )


def look(folder, native):
    """Sizes and times of the files that the result depends on."""
    files = [os.path.join(folder, name) for name in BUILD_FILES]
    files.extend(metadata_files(folder))
    if native:
        for parent, names, entries in walk(folder):
            files.extend(
                os.path.join(parent, entry)
                for entry in entries
                if os.path.splitext(entry)[1] in NATIVE_SOURCES or entry in ("CMakeLists.txt", "Cargo.lock", "MANIFEST.in")
            )
    seen = {}
    for path in files:
        try:
            stat = os.stat(path)
        except OSError:
            continue
        seen[os.path.relpath(path, folder)] = [stat.st_mtime_ns, stat.st_size]
    return seen


def metadata_files(folder):
    """Files that may say what pyproject.toml leaves open: none where it says everything itself."""
    project = project_table(folder)
    if project and not project.get("dynamic"):
        return
    for parent, names, entries in walk(folder):
        # Versions lie at the top, or in the package: not deep inside of it.
        if os.path.relpath(parent, folder).count(os.sep) >= 2:
            names[:] = []
        for entry in entries:
            if entry in METADATA_FILES or (parent == folder and entry.lower().startswith(METADATA_NAMES)):
                yield os.path.join(parent, entry)
    # … or in a tag: these are among what changes there.
    for name in ("HEAD", "packed-refs", "refs/tags", "logs/HEAD"):
        yield os.path.join(folder, ".git", name)


def walk(folder):
    for parent, names, entries in os.walk(folder):
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in SKIPPED and not name.endswith(".egg-info"))
        yield parent, names, entries


# ---- making it


def rebuild(home, place, key, folders, settings):
    import shutil
    import tempfile

    os.makedirs(os.path.join(home, "python"), exist_ok=True)
    ignore = os.path.join(home, ".gitignore")
    if not os.path.exists(ignore):
        with open(ignore, "w", encoding="utf-8") as file:
            file.write("# Made by the development shell; may be deleted at any time.\n*\n")
    made = tempfile.mkdtemp(prefix=".new-", dir=os.path.join(home, "python"))
    try:
        for name in ("site", "bin", "native"):
            os.mkdir(os.path.join(made, name))
        state = {"key": key, "seen": {}, "native": []}
        modules = {}
        complete = True
        for name, folder in folders.items():
            if is_below(folder, settings["store"]):
                fail(f"{name} cannot be editable: {folder} is a copy in the store", hint_for(name))
            if not os.path.isdir(folder):
                fail(f"{name} cannot be editable: there is no folder {folder}", hint_for(name))
            state["seen"][name] = {}
            before = look(folder, True)
            ok, native, compiled = install(name, folder, made, settings)
            complete = complete and ok
            modules.update(compiled)
            if native:
                state["native"].append(name)
            # As it was before the build: what changed meanwhile counts the next time.
            described = {os.path.join(folder, file) for file in BUILD_FILES}.union(metadata_files(folder))
            state["seen"][name] = {
                file: stat for file, stat in before.items() if native or os.path.normpath(os.path.join(folder, file)) in described
            }
        for entry in sorted(os.listdir(os.path.join(made, "site"))):
            if entry.endswith(".dist-info"):
                write_programs(os.path.join(made, "site", entry), os.path.join(made, "bin"), settings)
        write_sitecustomize(os.path.join(made, "site"), modules)
        if complete:
            with open(os.path.join(made, "state.json"), "w", encoding="utf-8") as file:
                json.dump(state, file, indent=1)
        replace(made, place)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    others = [f"{name} ({path})" for name, path in settings["editables"].items() if name != settings["name"]]
    if others and not os.environ.get("D2N_QUIET"):
        say(f"editable beside {settings['name']}: {', '.join(others)}")


def replace(made, place):
    """Puts the new folder in the place of the old one; shells that are open see one or the other."""
    import shutil

    old = f"{made}.old"
    os.chmod(made, 0o755)
    if os.path.lexists(place):
        os.rename(place, old)
    os.rename(made, place)
    shutil.rmtree(old, ignore_errors=True)


def install(name, folder, made, settings):
    """
    An editable installation by the package's own build system (PEP 660); failing that, a path file and what metadata there is.
    Gives whether all went well, whether something was compiled, and the compiled modules: name to file below `native`.
    """
    import shutil
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        traces = Traces(folder)
        configuration = os.path.join(scratch, "distutils.cfg")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(f"[build]\nbuild_base = {scratch}/build\n[egg_info]\negg_base = {scratch}\n")
        environment = dict(
            os.environ,
            DIST_EXTRA_CONFIG=configuration,
            PYTHONDONTWRITEBYTECODE="1",
        )
        # The environment comes first, then what the shell has beyond it.
        inherited = [path for path in os.environ.get("PYTHONPATH", "").split(":") if path]
        environment["PYTHONPATH"] = ":".join([os.path.join(settings["environment"], settings["sitePackages"]), *inherited])
        log = os.path.join(made, f"{file_name(name)}.log")
        result = os.path.join(scratch, "result.json")
        with open(log, "w", encoding="utf-8") as output:
            status = subprocess.call(
                [sys.executable, "-B", "-u", os.path.abspath(__file__), "--backend", folder, scratch, result],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
            )
        outcome = {"error": f"its build system ended with status {status}"}
        if os.path.exists(result):
            with open(result, encoding="utf-8") as file:
                outcome = json.load(file)
        compiled = traces.take(made)
        if outcome.get("wheel"):
            pure = unpack(outcome["wheel"], made, settings)
            finish(name, folder, made, outcome.get("distInfo"))
            return True, not pure or bool(compiled), compiled
        site = os.path.join(made, "site")
        if outcome.get("metadata"):
            shutil.copytree(outcome["metadata"], os.path.join(site, os.path.basename(outcome["metadata"])))
            dist_info = os.path.basename(outcome["metadata"])
            # Hatchling's metadata is for resolvers: it has no entry points.
            points = os.path.join(site, dist_info, "entry_points.txt")
            if not os.path.exists(points):
                write_lines(points, entry_points(project_table(folder)))
        else:
            dist_info = write_metadata(name, folder, site, settings["versions"].get(name))
        with open(os.path.join(site, f"{file_name(name)}.pth"), "w", encoding="utf-8") as file:
            file.write(source_folder(folder) + "\n")
        finish(name, folder, made, dist_info)
        if outcome.get("error"):
            kept = os.path.join(os.path.dirname(made), file_name(settings["name"]), f"{file_name(name)}.log")
            say(f"warning: {name} could not be built for editing: {outcome['error']}")
            with open(log, encoding="utf-8", errors="replace") as file:
                for line in telling_lines(file.read().partition(AFTER_FAILURE)[0].splitlines()):
                    say(f"  {line}")
            say(f"Python finds its sources, but no compiled modules. The whole log: {kept}")
            return False, bool(compiled), compiled
        return True, False, compiled


def telling_lines(lines):
    """Where the first error is, with what is around it; else the end."""
    import re

    for at, line in enumerate(lines):
        if re.search(r"\berror:", line):
            return lines[max(0, at - 2) : at + 13]
    return lines[-15:]


class Traces:
    """What a build leaves in the sources: removed, but for compiled modules, which are moved away."""

    def __init__(self, folder):
        self.folder = folder
        self.known = set(self.leftovers())
        self.modules = set(self.extension_modules())

    def leftovers(self):
        for parent in (self.folder, source_folder(self.folder)):
            for entry in os.listdir(parent):
                if entry.endswith(".egg-info") or entry == "build":
                    yield os.path.join(parent, entry)

    def extension_modules(self):
        from importlib.machinery import EXTENSION_SUFFIXES

        for parent, _, entries in walk(self.folder):
            for entry in entries:
                if entry.endswith(tuple(EXTENSION_SUFFIXES)):
                    yield os.path.join(parent, entry)

    def take(self, made):
        import shutil

        moved = {}
        for file in list(self.extension_modules()):
            if file in self.modules:
                continue
            relative = os.path.relpath(file, source_folder(self.folder))
            if relative.startswith(".."):
                relative = os.path.relpath(file, self.folder)
            target = os.path.join(made, "native", relative)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.move(file, target)
            parts = relative.split(os.sep)
            moved[".".join([*parts[:-1], parts[-1].split(".")[0]])] = relative
        for path in list(self.leftovers()):
            if path not in self.known:
                shutil.rmtree(path, ignore_errors=True)
        return moved


def unpack(wheel, made, settings):
    """Installs a wheel; says whether it holds nothing that was compiled."""
    import zipfile
    from importlib.machinery import EXTENSION_SUFFIXES

    pure = True
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            parts = info.filename.split("/")
            if ".." in parts or info.filename.startswith("/"):
                fail(f"{os.path.basename(wheel)} has a file outside of itself: {info.filename}")
            data = archive.read(info)
            target = os.path.join(made, "site", *parts)
            if parts[0].endswith(".data"):
                if parts[1] in ("purelib", "platlib"):
                    target = os.path.join(made, "site", *parts[2:])
                elif parts[1] == "scripts":
                    target = os.path.join(made, "bin", *parts[2:])
                    if data.startswith(b"#!python"):
                        interpreter = os.path.join(settings["environment"], "bin", "python")
                        data = b"#!" + interpreter.encode() + b"\n" + data.partition(b"\n")[2]
                else:
                    continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(data)
            if target.startswith(os.path.join(made, "bin")):
                os.chmod(target, 0o755)
            if info.filename.endswith(tuple(EXTENSION_SUFFIXES)):
                pure = False
            if parts[0].endswith(".dist-info") and parts[-1] == "WHEEL" and b"Root-Is-Purelib: false" in data:
                pure = False
    return pure


def finish(name, folder, made, dist_info):
    """PEP 610: says where the package really is, and that it can be edited."""
    if dist_info is None:
        return
    from urllib.request import pathname2url

    with open(os.path.join(made, "site", dist_info, "direct_url.json"), "w", encoding="utf-8") as file:
        json.dump({"dir_info": {"editable": True}, "url": "file://" + pathname2url(folder)}, file)


def write_programs(dist_info, folder, settings):
    import configparser

    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str
    try:
        parser.read(os.path.join(dist_info, "entry_points.txt"), encoding="utf-8")
    except configparser.Error as error:
        say(f"warning: {dist_info}/entry_points.txt cannot be read: {error}")
        return
    for section in ("console_scripts", "gui_scripts"):
        if not parser.has_section(section):
            continue
        for name, value in parser.items(section):
            module, _, attribute = value.split("[")[0].strip().partition(":")
            if not module or not attribute or "/" in name:
                continue
            module, attribute = module.strip(), attribute.strip()
            first = attribute.split(".")[0]
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(
                    f"#!{settings['environment']}/bin/python\n"
                    f"import sys\nfrom {module} import {first}\n"
                    f'if __name__ == "__main__":\n    sys.exit({attribute}())\n'
                )
            os.chmod(path, 0o755)


SITECUSTOMIZE = '''"""Lets Python find what is editable, before the copies of the same packages in the store."""
import os
import sys

try:
    import _sitecustomize
except ImportError:
    pass


def _activate():
    import site

    here = os.path.dirname(os.path.abspath(__file__))
    paths, finders = list(sys.path), list(sys.meta_path)
    site.addsitedir(here)
    added = [path for path in sys.path if path not in paths]
    rest = [path for path in sys.path if path not in added]
    at = rest.index(here) + 1 if here in rest else 0
    sys.path[:] = rest[:at] + added + rest[at:]
    ours = [finder for finder in sys.meta_path if finder not in finders]
    modules = @modules@
    if modules:
        ours.insert(0, _compiled(modules, os.path.join(os.path.dirname(here), "native")))
    usual = [getattr(finder, "__name__", "") for finder in finders]
    at = usual.index("PathFinder") if "PathFinder" in usual else len(finders)
    sys.meta_path[:] = finders[:at] + ours + finders[at:]


def _compiled(modules, folder):
    class CompiledModules:
        """Compiled modules, which do not lie among the sources."""

        @staticmethod
        def find_spec(name, path=None, target=None):
            file = modules.get(name)
            if file is None:
                return None
            from importlib.util import spec_from_file_location

            return spec_from_file_location(name, os.path.join(folder, file))

    return CompiledModules


if sys.version_info[:2] == @version@:
    _activate()
'''


def write_sitecustomize(site, modules):
    with open(os.path.join(site, "sitecustomize.py"), "w", encoding="utf-8") as file:
        file.write(SITECUSTOMIZE.replace("@modules@", repr(modules)).replace("@version@", repr(tuple(sys.version_info[:2]))))


# ---- metadata without a build system


def read_pyproject(folder):
    """The parsed pyproject.toml; None if there is none or nothing that reads it."""
    path = os.path.join(folder, "pyproject.toml")
    if not os.path.exists(path):
        return None
    import importlib

    for module in ("tomllib", "tomli", "pip._vendor.tomli", "setuptools._vendor.tomli", "setuptools.extern.tomli"):
        try:
            toml = importlib.import_module(module)
            break
        except ImportError:
            continue
    else:
        return None
    with open(path, "rb") as file:
        try:
            return toml.load(file)
        except toml.TOMLDecodeError as error:
            fail(f"{path} cannot be read: {error}")


def project_table(folder):
    pyproject = read_pyproject(folder) or {}
    return pyproject.get("project") or pyproject.get("tool", {}).get("poetry") or {}


def write_metadata(name, folder, site, version):
    """A dist-info of what pyproject.toml says. Gives its name."""
    project = project_table(folder)
    name, version = project.get("name", name), project.get("version", version or "0")
    dist_info = f"{file_name(name).replace('-', '_').replace('.', '_')}-{version}.dist-info"
    os.mkdir(os.path.join(site, dist_info))
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    needed = project.get("dependencies", [])
    if isinstance(needed, list):
        lines.extend(f"Requires-Dist: {requirement}" for requirement in needed)
    write_lines(os.path.join(site, dist_info, "METADATA"), lines)
    write_lines(os.path.join(site, dist_info, "entry_points.txt"), entry_points(project))
    return dist_info


def entry_points(project):
    groups = {"console_scripts": project.get("scripts", {}), "gui_scripts": project.get("gui-scripts", {})}
    groups.update(project.get("entry-points", {}))
    lines = []
    for group, entries in groups.items():
        entries = {key: value for key, value in entries.items() if isinstance(value, str)}
        if entries:
            lines.extend([f"[{group}]", *(f"{key} = {value}" for key, value in entries.items()), ""])
    return lines


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def source_folder(folder):
    inner = os.path.join(folder, "src")
    return inner if os.path.isdir(inner) else folder


# ---- the build system's side


def backend(folder, scratch, result):
    """Asks the build system for an editable wheel, else for metadata. Writes JSON: wheel, metadata, distInfo, error."""
    import importlib
    import traceback

    # The folder of this file is the store.
    sys.path.pop(0)
    os.chdir(folder)
    pyproject = read_pyproject(folder)
    system = (pyproject or {}).get("build-system", {})
    described = any(os.path.exists(os.path.join(folder, name)) for name in ("setup.py", "setup.cfg"))
    outcome = {}
    entry = system.get("build-backend")
    if entry is None and not described and "project" not in (pyproject or {}):
        return write_json(result, outcome)
    name, _, attribute = (entry or "setuptools.build_meta:__legacy__").partition(":")
    for extra in reversed(system.get("backend-path", [])):
        sys.path.insert(0, os.path.join(folder, extra))
    try:
        hooks = importlib.import_module(name)
        for part in attribute.split(".") if attribute else []:
            hooks = getattr(hooks, part)
    except ImportError as error:
        print(f"The build system {name} is not in the environment ({error}).")
        return write_json(result, outcome)
    try:
        os.mkdir(os.path.join(scratch, "wheel"))
        if hasattr(hooks, "build_editable"):
            wheel = hooks.build_editable(os.path.join(scratch, "wheel"))
            outcome["wheel"] = os.path.join(scratch, "wheel", wheel)
            outcome["distInfo"] = dist_info_of(outcome["wheel"])
            return write_json(result, outcome)
    except (Exception, SystemExit) as error:
        outcome.pop("wheel", None)
        if isinstance(error, SystemExit):
            print(error)
        else:
            traceback.print_exc()
        print(AFTER_FAILURE)
        # Build systems say so where they need one more package for editing (hatchling: editables).
        if not isinstance(error, ImportError):
            outcome["error"] = f"{type(error).__name__}: {error}".splitlines()[0]
    for hook in ("prepare_metadata_for_build_editable", "prepare_metadata_for_build_wheel"):
        if hasattr(hooks, hook):
            try:
                folder_name = os.path.join(scratch, hook)
                os.mkdir(folder_name)
                outcome["metadata"] = os.path.join(folder_name, getattr(hooks, hook)(folder_name))
                break
            except (Exception, SystemExit):
                traceback.print_exc()
    write_json(result, outcome)


def dist_info_of(wheel):
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.namelist():
            if entry.split("/")[0].endswith(".dist-info"):
                return entry.split("/")[0]
    return None


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)


# ---- small things


def hint_for(name):
    return f"pip.editables.{json.dumps(name)} has to be a string: a folder relative to the root of the project, or an absolute one."


def is_below(path, folder):
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def file_name(name):
    return "".join(char if char.isalnum() or char in "._-" else "_" for char in name)


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


def say(text):
    print(text, file=sys.stderr)


def fail(message, hint=None):
    say(f"error: {message}")
    if hint is not None:
        say(f"hint: {hint}")
    sys.exit(1)


if __name__ == "__main__":
    if sys.argv[1] == "--backend":
        backend(*sys.argv[2:])
    else:
        main(sys.argv[1])
