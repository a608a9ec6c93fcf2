"""A JSON document as JSON, YAML or TOML that people read: formats.py FORMAT INPUT OUTPUT."""

import json
import re
import sys


def scalar(value):
    """What YAML and TOML write as JSON does. Strings are quoted always: no reader mistakes them for something else."""
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and "." not in text:
        # A number without a point is a string to readers of YAML 1.1.
        return text.replace("e", ".0e")
    # Control characters and line ends that JSON lets pass and the other two do not.
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def yaml_key(key):
    # Words that some reader takes for a boolean or null are quoted.
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", key)
    words = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
    return key if plain and key.lower() not in words else scalar(key)


def yaml_lines(value, indent):
    """The lines of a collection that is not empty, each indented."""
    pad = "  " * indent
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, (dict, list)) and item:
                yield f"{pad}{yaml_key(key)}:"
                yield from yaml_lines(item, indent + 1)
            else:
                yield f"{pad}{yaml_key(key)}: {scalar(item)}"
        return
    for item in value:
        if isinstance(item, (dict, list)) and item:
            first, *rest = yaml_lines(item, indent + 1)
            yield f"{pad}- {first.lstrip(' ')}"
            yield from rest
        else:
            yield f"{pad}- {scalar(item)}"


def to_yaml(value):
    if isinstance(value, (dict, list)) and value:
        return "\n".join(yaml_lines(value, 0)) + "\n"
    return scalar(value) + "\n"


def toml_key(key):
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else scalar(key)


def toml_value(value, path):
    if value is None:
        sys.exit(f"TOML has no null, but '{'.'.join(path)}' is null")
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item, path) for item in value) + "]"
    if isinstance(value, dict):
        items = (f"{toml_key(key)} = {toml_value(item, [*path, key])}" for key, item in value.items())
        return "{ " + ", ".join(items) + " }" if value else "{}"
    return scalar(value)


def is_tables(value):
    return isinstance(value, list) and value != [] and all(isinstance(item, dict) for item in value)


def toml_table(table, path):
    """A table's own lines first, then its tables: whatever follows a header belongs to it."""
    for key, value in table.items():
        if not isinstance(value, dict) and not is_tables(value):
            yield f"{toml_key(key)} = {toml_value(value, [*path, key])}"
    for key, value in table.items():
        inner = [*path, key]
        name = ".".join(toml_key(part) for part in inner)
        if isinstance(value, dict):
            yield f"\n[{name}]"
            yield from toml_table(value, inner)
        elif is_tables(value):
            for item in value:
                yield f"\n[[{name}]]"
                yield from toml_table(item, inner)


def to_toml(value):
    if not isinstance(value, dict):
        sys.exit("a TOML document is a table: the value must be an attribute set")
    return "\n".join(toml_table(value, [])).lstrip("\n") + "\n"


def to_json(value):
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main():
    form, source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        value = json.load(file)
    text = {"json": to_json, "yaml": to_yaml, "toml": to_toml}[form](value)
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


main()
