"""Runs the examples of weir-serving's README.md against a predictor, as its reader would, and compares the answers.

  readme.py URL BUNDLE

Every block `sh` is run; the block `json` after it is what it has to print. Digests may be others.
"""

import json
import math
import pathlib
import re
import subprocess
import sys

README = pathlib.Path(__file__).parents[2] / "README.md"
ADDRESS = "localhost:8080"


def main():
    address = sys.argv[1].removeprefix("http://")
    wrong = 0
    examples = list(blocks(README.read_text(encoding="utf-8")))
    for line, command, expected in examples:
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", command.replace(ADDRESS, address)],
                              stdout=subprocess.PIPE, text=True, check=False)
        if reason := differs(done, expected):
            wrong += 1
            print(f"README.md:{line}: {reason}\n{done.stdout}")
    print(f"README.md: {len(examples) - wrong} of {len(examples)} examples hold")
    sys.exit(wrong > 0)


def blocks(text):
    """Line, command and expected JSON, if any, of every example."""
    found = [(text.count("\n", 0, match.start()) + 1, match[1], match[2])
             for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]
    for (line, kind, command), after in zip(found, [*found[1:], (0, "", "")]):
        if kind == "sh":
            yield line, command, json.loads(after[2]) if after[1] == "json" else None


def differs(done, expected):
    if done.returncode:
        return f"ended with {done.returncode}"
    if not done.stdout:
        return "printed nothing"
    return expected is not None and difference("answer", json.loads(done.stdout), expected)


def difference(path, found, expected):
    """Where two values differ, if they do."""
    if isinstance(expected, dict) and isinstance(found, dict) and expected.keys() == found.keys():
        return next(filter(None, (difference(f"{path}.{key}", found[key], expected[key]) for key in expected)), None)
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(found, expected))
        return next(filter(None, (difference(f"{path}[{number}]", *pair) for number, pair in pairs)), None)
    if is_digest(expected) and is_digest(found) and len(expected) == len(found):
        return None
    if isinstance(expected, float) and isinstance(found, (int, float)) and math.isclose(found, expected, rel_tol=1e-9):
        return None
    return None if found == expected else f"{path} is {found!r}, not {expected!r}"


def is_digest(value):
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{12}([0-9a-f]{52})?", value) is not None


if __name__ == "__main__":
    main()
