"""
Starts the pip that lies beside it. Arguments are pip's; D2N_KEEP names a folder in which what it downloads stays, so that nothing
is downloaded twice: not by the pips that a pip starts, nor by the next one of the same locking.
"""

import os
import sys

HERE = os.path.abspath(__file__)


def origin_of(path):
    """Where it is written down which address a file in the folder came from."""
    folder, name = os.path.split(path)
    return os.path.join(folder, ".from", name)


def keep_downloads(folder, temporary):
    """Whatever is fetched, sooner or later passes through these two."""
    # In this order: some versions import each other in a circle.
    from pip._internal.operations import prepare
    from pip._internal.network import download

    os.makedirs(os.path.join(folder, ".from"), exist_ok=True)

    def keep(link, path):
        kept = os.path.join(folder, os.path.basename(path))
        try:
            if path.startswith(temporary + os.sep):
                os.link(path, kept)
                with open(origin_of(kept), "w", encoding="utf-8") as file:
                    file.write(link.url_without_fragment)
        except (AttributeError, OSError):
            pass

    def take(link, location):
        """The file that came from this address before, if it is there; pip checks its hash as it would check a fetched one's."""
        kept = os.path.join(folder, link.filename)
        try:
            with open(origin_of(kept), encoding="utf-8") as file:
                if file.read() != link.url_without_fragment:
                    return None
            path = os.path.join(location, link.filename)
            os.link(kept, path)
            return path
        except OSError:
            return None

    original = download.Downloader.__call__

    def call(self, link, location):
        path = take(link, location)
        if path is not None:
            return path, None
        path, content_type = original(self, link, location)
        keep(link, path)
        return path, content_type

    download.Downloader.__call__ = call

    # In older versions of pip, wheels of which the metadata was known go another way.
    if hasattr(download, "BatchDownloader"):
        batch = download.BatchDownloader.__call__

        def call_batch(self, links, location):
            missing = []
            for link in links:
                path = take(link, location)
                if path is None:
                    missing.append(link)
                else:
                    yield link, (path, None)
            for link, (path, content_type) in batch(self, missing, location):
                keep(link, path)
                yield link, (path, content_type)

        download.BatchDownloader.__call__ = call_batch
        prepare.BatchDownloader = download.BatchDownloader


def resolve_by_metadata():
    """
    Where the index has metadata apart, pip resolves by these, and before version 25.3 fetches the wheels nevertheless at the end
    of a dry run. Building fetches them, if it comes to that.
    """
    from pip._internal.operations.prepare import RequirementPreparer
    from pip._internal.req.req_install import InstallRequirement
    from pip._internal.utils.direct_url_helpers import direct_url_from_link

    fetch = RequirementPreparer._fetch_metadata_only
    prepare_more = RequirementPreparer.prepare_linked_requirements_more
    get = InstallRequirement.get_dist

    def fetch_metadata(self, req):
        metadata = fetch(self, req)
        if metadata is not None and req.link.is_wheel and req.link.hash_name == "sha256":
            req.known_metadata = metadata
        return metadata

    def more(self, reqs, *arguments, **named):
        rest = []
        for req in reqs:
            if req.needs_more_preparation and hasattr(req, "known_metadata"):
                req.download_info = direct_url_from_link(req.link)
            else:
                rest.append(req)
        return prepare_more(self, rest, *arguments, **named)

    def get_dist(self):
        known = getattr(self, "known_metadata", None)
        return get(self) if known is None or self.local_file_path else known

    RequirementPreparer._fetch_metadata_only = fetch_metadata
    RequirementPreparer.prepare_linked_requirements_more = more
    InstallRequirement.get_dist = get_dist


def build_by(wheels):
    """
    To tell a source distribution's metadata, pip has another pip install its build system: by this program, so that downloads
    are kept; and, with `wheels`, in spite of the user's --no-binary. What a package is built with does not change its metadata,
    so wheels do there: faster, and without a compiler.
    """
    from pip._internal import build_env

    original = build_env.call_subprocess

    def call(command, *arguments, **named):
        command = list(command)
        if os.path.basename(str(command[1])) == "__pip-runner__.py":
            command[1] = HERE
        for place, word in enumerate(command[:-1]):
            if wheels and word == "--no-binary":
                command[place + 1] = ":none:"
        return original(command, *arguments, **named)

    build_env.call_subprocess = call


# Versions of pip differ inside: without these, locking is slower, not wrong.
for wanted, change in (
    (os.environ.get("D2N_KEEP"), lambda folder: keep_downloads(folder, os.environ["TMPDIR"])),
    ("--dry-run" in sys.argv, lambda _: resolve_by_metadata()),
    (os.environ.get("D2N_KEEP"), lambda _: build_by(os.environ.get("D2N_BUILD_WHEELS"))),
):
    if wanted:
        try:
            change(wanted)
        except (ImportError, AttributeError, KeyError, OSError):
            pass

from pip._internal.cli.main import main  # noqa: E402

sys.exit(main())
