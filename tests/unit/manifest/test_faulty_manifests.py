"""Every fault that a manifest can have: one file per fault in tests/data/manifests, its problems word for word here.

The files list the kinds of tests/fakes/kinds.py; `did you mean` hints and positions (line:column) are golden.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.errors import ErrorId, ManifestError
from bundler.manifest.reader import load_manifest
from tests.fakes.kinds import FAKE_KINDS

DIRECTORY = Path(__file__).parents[2] / "data" / "manifests"

FAULTS: dict[str, tuple[str, ...]] = {
    "alias-bomb": ("7:46: aliases stand for more than 100000 values",),
    "alias-recursive": ("3:20: the alias *all stands inside its own anchor",),
    "alias-unknown": ("3:10: the alias *one has no anchor &one above it",),
    "anchor-twice": ("3:18: the anchor &a is defined twice",),
    "at-sign": ("3:10: a string cannot begin with '@'; quote it",),
    "binary-tag": ("3:10: the tag '!!binary' is not supported here; remove it",),
    "choice-typo": ("4:29: 'size': unknown value 'lage'; did you mean 'large'?",),
    "colon-in-string": (
        "2:13: a ':' inside a string that is not quoted, or a key that is not indented like its neighbours",
    ),
    "control-character": ("4:6: control character U+0007; remove it",),
    "custom-tag": ("3:10: the tag '!secret' is not supported here; remove it",),
    "directory-is-file": ("5:5: 'A/b/c' lies below the file 'a/b', placed by the entry on line 4",),
    "dup-entry-key": ("6:5: duplicate key 'path', first on line 4",),
    "dup-key": ("4:1: duplicate key 'name', first on line 2",),
    "dup-merge-key": ("7:5: duplicate key '<<', first on line 5",),
    "empty": ("1:1: the manifest is empty; begin with version: 1",),
    "entry-is-list": ("3:10: a label: want a string, got a list",),
    "entry-is-number": ('4:5: a label: want a string, got the number 1.18; quote it: "1.18"',),
    "entry-is-string": ("3:9: want a box as a mapping, got the string 'a/b'",),
    "entry-twice": ("6:5: duplicate entry 'one' in 'labels', first on line 4",),
    "escaped-control-character": ("3:10: the string holds the control character U+0007",),
    "escaped-separator": ("3:10: the string holds the control character U+2028",),
    "file-is-directory": ("5:5: 'a/b' is a directory of 'a/b/c', placed by the entry on line 4",),
    "flag-quoted": ("4:31: 'sealed': want true or false, without quotes; got the string 'yes'",),
    "item-twice": ("7:9: 'urls': 'b' is listed twice",),
    "kind-check": ("5:5: only one box may be sealed",),
    "archive-in-its-place": ("1:1: is a packed archive; `bundler inspect` shows what a bundle holds",),
    "lock-in-its-place": ("1:1: is a lock, not a manifest; name the YAML file that it was made from",),
    "list-empty": ("3:9: 'labels': is an empty list; leave the key out",),
    "list-is-mapping": ("4:3: 'boxes': want a list, got a mapping",),
    "list-key": ("4:3: a key is a string, not a list",),
    "list-missing": ("3:8: 'labels': want a list, got nothing",),
    "long-number": ("3:10: a number of more than 64 characters; quote it if a string is meant",),
    "mapping-tag-on-list": ("3:9: the tag '!!map' is not supported here; remove it",),
    "members-list": ("4:32: 'members': want a mapping, got a list",),
    "merge-of-string": ("4:9: '<<' merges a mapping or a list of mappings, not the string 'mode'",),
    "mode-octal": ("4:29: 'mode': want a string, got the number 0755; quote it: \"0755\"",),
    "mode-other": ("4:29: 'mode': want \"0644\" or \"0755\", got '0600'",),
    "name-list": ("2:7: 'name': want a string, got a list",),
    "name-missing": ("1:1: the manifest lacks the key 'name'",),
    "name-with-slash": (
        (
            "2:7: 'name': 'kube/edge' cannot be a name: want at most 128 letters, digits, . _ -, the first a "
            "letter or digit"
        ),
    ),
    "nested-too-deep": ("3:41: nested more than 32 levels deep",),
    "next-line-character": ("3:10: control character U+0085; remove it",),
    "no-entries": ("1:1: the manifest lists nothing to bundle; add boxes or labels",),
    "not-a-date": ("3:10: '2025-02-30' is read as a date but is none; quote it if a string is meant",),
    "not-a-mapping": ("1:1: want the manifest as a mapping, got a list",),
    "not-an-int": ("3:10: 'one' is read as a number but is none; quote it if a string is meant",),
    "not-utf8": ("4:6: byte 0xE9 is not UTF-8; save the file as UTF-8",),
    "number-key": ('4:1: a key is a string, not the number 7; quote it: "7"',),
    "one-of-missing": ("4:5: a box lacks one of the keys url, urls",),
    "only-comments": ("1:1: the manifest is empty; begin with version: 1",),
    "path-absolute": ("4:12: 'path': '/etc/passwd' is absolute; a path in the bundle is relative",),
    "path-case": ("5:5: 'A/Keadm' differs only by case or Unicode form from 'a/keadm', placed by the entry on line 4",),
    "path-escapes": ("4:12: 'path': 'a/../../b' has the segment '..'",),
    "path-not-nfc": ("4:12: 'path': 'cafe\u0301' is not in Unicode normal form C",),
    "path-reserved": ("4:12: 'path': 'K8SImage' is a reserved top-level name of the bundle",),
    "path-twice": ("6:5: 'a/b' is already placed by the entry on line 5",),
    "path-unicode-fold": (
        "5:5: 'STRASSE' differs only by case or Unicode form from 'straße', placed by the entry on line 4",
    ),
    "platform-alias": ("4:13: 'platforms': 'linux/x86_64': the architecture is written amd64",),
    "platform-os-typo": ("4:13: 'platforms': unknown operating system 'linus'; did you mean 'linux'?",),
    "platform-twice": ("6:5: 'platforms': linux/arm64/v8 is listed twice",),
    "platform-typo": ("4:13: 'platforms': unknown architecture 'amd46'; did you mean 'amd64'?",),
    "platform-without-os": (
        "4:13: 'platforms': 'amd64' is not a platform; write os/arch[/variant], for example linux/amd64",
    ),
    "platforms-empty": ("4:12: 'platforms': is an empty list; leave the key out",),
    "platforms-string": ("4:12: 'platforms': want a list, got the string 'linux/amd64'; write [linux/amd64]",),
    "python-tag": ("3:9: the tag '!!python/object/apply:os.system' is not supported here; remove it",),
    "release-date": ("4:10: 'release': want a string, got the date 2025-03-01; quote it: \"2025-03-01\"",),
    "release-float": ("4:10: 'release': want a string, got the number 1.10; quote it: \"1.10\"",),
    "release-number": ("4:10: 'release': want a string, got the number 7; quote it: \"7\"",),
    "release-too-long": (
        (
            "4:10: 'release': 'rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr' cannot be a release: want at most 32 "
            "letters, digits, . _ -"
        ),
    ),
    "required-missing": ("4:5: a box lacks the key 'path'",),
    "reserved-charts": ("4:1: 'charts' is reserved for a later version; remove it",),
    "reserved-debs": ("4:1: 'debs' is reserved for a later version; remove it",),
    "role-typo": ("4:31: 'roles': unknown role 'egde'; did you mean 'edge'?",),
    "roles-string": ("4:30: 'roles': want a list, got the string 'edge'; write [edge]",),
    "tab-indent": ("4:1: a tab; indent with spaces",),
    "text-empty": ("4:12: 'path': is an empty string",),
    "text-line-break": (
        (
            "5:10: 'url': 'https://example.org/\\n' holds a line break; write it on one line, or with `>-` "
            "instead of `>` or `|`"
        ),
    ),
    "text-null": ("4:10: 'path': want a string, got nothing",),
    "truth-key": ('4:1: a key is a string, not the truth value on; quote it: "on"',),
    "two-documents": ("4:1: a second document begins; keep one document in the file",),
    "two-of-exclusive": ("4:23: 'urls' cannot stand beside 'url'; keep one of url, urls",),
    "unclosed-bracket": (
        "4:10: is not valid YAML while parsing a flow sequence begun on line 3: did not find expected ',' or ']'",
    ),
    "unclosed-quote": (
        "4:1: is not valid YAML while scanning a quoted scalar begun on line 3: found unexpected end of stream",
    ),
    "unknown-entry-key": (
        "4:5: a box lacks one of the keys url, urls",
        "5:5: unknown key 'ulr' in a box; did you mean 'url'?",
    ),
    "unknown-key-far": (
        (
            "4:1: unknown key 'telemetry' in the manifest; known are version, name, release, platforms, vars, "
            "boxes, labels, charts, debs"
        ),
    ),
    "unknown-key": ("4:1: unknown key 'box' in the manifest; did you mean 'boxes'?",),
    "unquoted-variable-in-list": ("4:12: inside [ ] and { }, a string with ${…} must be quoted",),
    "utf16-without-mark": ("1:2: control character U+0000; remove it",),
    "utf16": ("1:1: is UTF-16; save it as UTF-8",),
    "var-bad-name": (
        "4:8: 'vars': 'a b' cannot be a variable: want at most 64 letters, digits, _ -, the first a letter or _",
    ),
    "var-below": ("3:13: undefined variable 'number'",),
    "var-lone-dollar": ("3:10: a lone '$'; write '$$' for a dollar, '${name}' for a variable",),
    "var-number": ("5:12: 'vars', 'release': want a string, got the number 1.10; quote it: \"1.10\"",),
    "var-of-platform": (
        (
            "4:15: 'vars', 'where': a variable has one value for all platforms; use ${os}, ${arch}, "
            "${variant}, ${machine} in the entries"
        ),
    ),
    "var-reserved": ("4:8: 'vars': 'arch' is reserved; it comes from the platform",),
    "var-undefined": ("5:5: undefined variable 'kubedge'; did you mean 'kubeedge'?",),
    "vars-list": ("4:7: 'vars': want a mapping, got a list",),
    "version-missing": ("1:1: the manifest lacks the key 'version'",),
    "version-newer": ("1:10: the manifest is of version 2; this version of bundler reads version 1",),
    "version-quoted": ("1:10: 'version': want the number 1, got the string '1'",),
    "version-true": ("1:10: 'version': want the number 1, got the truth value yes",),
}


def test_every_file_is_in_the_table() -> None:
    assert sorted(FAULTS) == sorted(path.stem for path in DIRECTORY.glob("*.yaml"))


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_named_where_it_stands(fault: str) -> None:
    path = DIRECTORY / f"{fault}.yaml"
    with pytest.raises(ManifestError) as caught:
        load_manifest(path, FAKE_KINDS)
    error = caught.value
    assert error.problems == tuple(f"{path}:{problem}" for problem in FAULTS[fault])
    assert (error.id, error.exit_code, error.where) == (ErrorId.MANIFEST_INVALID, 3, str(path))
    assert error.text().startswith(f"{error.problems[0]}\n")
