"""
Stands for a program that is fetched when somebody starts it. d2n listens on the socket beside this file: told who asks for
what, it makes the program's package and answers with the environment in which the program is to run.
"""

import json
import os
import socket
import sys

# Of these, what the caller has set comes first; of others, it is all there is.
SEARCHED = ("PKG_CONFIG_PATH", "CMAKE_PREFIX_PATH", "CMAKE_INCLUDE_PATH", "CMAKE_LIBRARY_PATH")


def ask(folder, question):
    # Paths of sockets must be short: this one is, wherever the folder lies.
    place = os.open(folder, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("/proc/self/fd/%d/socket" % place)
        connection.sendall(json.dumps(question).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            part = connection.recv(1 << 16)
            if not part:
                break
            answer += part
    os.close(place)
    return json.loads(answer or b'{"error": "d2n has ended"}')


def main():
    folder, name = os.path.split(os.path.abspath(sys.argv[0]))
    # pip tells indexes which rustc there is, by this very command: no reason to fetch one.
    if name == "rustc" and sys.argv[1:] == ["--version"]:
        sys.exit(127)
    answer = ask(folder, {"program": name, "folder": os.getcwd()})
    if "error" in answer:
        sys.exit("%s: %s" % (name, answer["error"]))
    environment = dict(os.environ)
    for key, value in answer["environment"].items():
        if key == "PATH":
            continue
        if key not in environment:
            environment[key] = value
        elif key in SEARCHED:
            environment[key] += os.pathsep + value
    search = answer["environment"].get("PATH", "").split(os.pathsep)
    # The programs that stand for others stay, after the real ones: a make that wants cmake has it.
    environment["PATH"] = os.pathsep.join(search + environment.get("PATH", "").split(os.pathsep))
    # Debian calls compilers by their platform, too.
    for candidate in (name, name.split("-linux-gnu-")[-1]):
        for place in search:
            program = os.path.join(place, candidate)
            if os.access(program, os.X_OK):
                os.execve(program, [program] + sys.argv[1:], environment)
    sys.stderr.write("%s: command not found\n" % name)
    sys.exit(127)


main()
