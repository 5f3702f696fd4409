"""Values of a YAML file changed by their key paths; everything else, comments and line ends too, stays to the byte.

PyYAML's marks say where a value stands in the text. What was edited is read again and held against what was wanted, so
that a form of YAML which is not foreseen here (anchors, merged keys, a flow mapping over several lines) is refused and
never guessed. For files of others' (cloudcore.yaml, harbor.yml); our own formats are read with `yaml_tree`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.json_value import Json

MAX_BYTES = 4 * 1024 * 1024
KeyPath = tuple[str, ...]
# no character of YAML's own; yaml.safe_load tells words that mean a number, a truth value or nothing
_PLAIN = re.compile(r"[A-Za-z0-9_/.][A-Za-z0-9_/.+@-]*(:[A-Za-z0-9_/.+@-]+)*")
# YAML 1.1, "Character Set", and the characters that end a line there
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class _Remove:
    """See REMOVE."""


REMOVE: Final = _Remove()


def read_plain(data: bytes) -> Any:
    """Return what a YAML document means: mappings, lists and scalars. Raises ValueError."""
    if len(data) > MAX_BYTES:
        raise ValueError(tr("it is larger than {max_bytes:,} bytes", max_bytes=MAX_BYTES))
    try:
        return yaml.safe_load(data.decode("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(tr("it is not valid YAML: {error}", error=" ".join(str(error).split()))) from error


def edited(data: bytes, changes: Mapping[KeyPath, Json | _Remove]) -> bytes:
    """Return a document with some values replaced, added or removed.

    Arguments:
        data: the whole file; at its top stands a mapping.
        changes: key path -> the value, or REMOVE; mappings above it are made where they are missing.

    Raises ValueError, with words for a person, when the file is no such document or cannot be edited safely.
    """
    wanted = _unshared(read_plain(data))
    if not isinstance(wanted, dict):
        raise ValueError(tr("it is no mapping"))
    text = data.decode("utf-8-sig")
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    for path, value in changes.items():
        if _value_at(wanted, path) == (value, value is not REMOVE) and _same_type(_value_at(wanted, path)[0], value):
            continue
        _set(wanted, path, value)
        try:
            text = _edited_once(text, path, value)
        except (yaml.YAMLError, TypeError) as error:
            raise ValueError(
                tr("its form is not one that can be edited safely ({path})", path=" ".join(path))
            ) from error
    result = mark + text.encode()
    if not _means(result, wanted):
        raise ValueError(tr("its form is not one that can be edited safely"))
    return result


def value_at(document: Any, path: KeyPath) -> Any:
    """Return the value at a key path of a read document; None where there is none."""
    value, _ = _value_at(document, path)
    return value


def _value_at(document: Any, path: KeyPath) -> tuple[Any, bool]:
    for key in path:
        if not isinstance(document, dict) or key not in document:
            return None, False
        document = document[key]
    return document, True


def _means(data: bytes, wanted: Any) -> bool:
    try:
        return bool(read_plain(data) == wanted)
    except ValueError:
        return False


def _unshared(value: Any) -> Any:
    """Return a copy in which no two places are one value, as aliases make them."""
    if isinstance(value, dict):
        return {key: _unshared(inner) for key, inner in value.items()}
    return [_unshared(inner) for inner in value] if isinstance(value, list) else value


def _same_type(there: Any, wanted: Any) -> bool:
    # 1 == True in Python, and not in YAML
    return isinstance(there, bool) == isinstance(wanted, bool)


def _set(document: dict[str, Any], path: KeyPath, value: Json | _Remove) -> None:
    *above, last = path
    for key in above:
        inner = document.get(key)
        if not isinstance(inner, dict):
            if value is REMOVE:
                return
            inner = document[key] = {}
        document = inner
    if value is REMOVE:
        document.pop(last, None)
    else:
        document[last] = value


class _Reached(NamedTuple):
    """How far a key path leads.

    Arguments:
        above: the mapping that holds `key`; the document's own where the path leads nowhere.
        key, node: the last key of the path that is there, and its value; None where not even the first one is.
        rest: the keys of the path that are not there.
    """

    above: yaml.MappingNode
    key: yaml.Node | None
    node: yaml.Node
    rest: KeyPath


def _found(text: str, path: KeyPath) -> _Reached:
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(document, yaml.MappingNode):
        raise TypeError(tr("it is no mapping"))
    found = _Reached(document, None, document, path)
    while found.rest and isinstance(found.node, yaml.MappingNode):
        first, *others = found.rest
        pair = next((pair for pair in found.node.value if pair[0].value == first), None)
        if pair is None:
            break
        found = _Reached(found.node, pair[0], pair[1], tuple(others))
    return found


def _edited_once(text: str, path: KeyPath, value: Json | _Remove) -> str:
    above, key, node, rest = _found(text, path)
    if isinstance(value, _Remove):
        return text if rest or key is None else _without(text, above, key, node)
    if rest and isinstance(node, yaml.MappingNode):
        return _with_key(text, node, rest, value)
    if key is None:
        raise TypeError("a path has at least one key")
    # where a scalar stands and a mapping is wanted, the mapping takes its place
    return _with_value(text, key, node, _nested(rest, value))


def _with_value(text: str, key: yaml.Node, node: yaml.Node, value: Json) -> str:
    begin, end = node.start_mark.index, node.end_mark.index
    colon = text.index(":", key.end_mark.index) + 1
    if begin == end:
        # an empty value
        return f"{text[:colon]} {_flow(value)}{text[colon:]}"
    if (isinstance(node, yaml.ScalarNode) and node.style not in ("|", ">")) or getattr(node, "flow_style", False):
        return text[:begin] + _flow(value) + text[end:]
    return f"{text[:colon]} {_flow(value)}{_newline(text)}{text[_end_of_block(text, node) :]}"


def _with_key(text: str, node: yaml.MappingNode, path: KeyPath, value: Json) -> str:
    pair = f"{_flow(path[0])}: {_flow(_nested(path[1:], value))}"
    if node.flow_style or not node.value:
        begin, end = node.start_mark.index, node.end_mark.index
        inner = text[begin + 1 : end - 1].strip()
        return f"{text[:begin]}{{{inner}{', ' if inner else ''}{pair}}}{text[end:]}"
    end = _end_of_block(text, node)
    head = text[:end] if text[:end].endswith("\n") else text[:end] + _newline(text)
    return f"{head}{' ' * node.start_mark.column}{pair}{_newline(text)}{text[end:]}"


def _without(text: str, above: yaml.MappingNode, key: yaml.Node, node: yaml.Node) -> str:
    if above.flow_style:
        raise ValueError(
            tr("the key {value!r} stands in a mapping in braces; write it over several lines", value=key.value)
        )
    begin = text.rfind("\n", 0, key.start_mark.index) + 1
    return text[:begin] + text[_end_of_block(text, node, at_least=key.end_mark.index) :]


def _end_of_block(text: str, node: yaml.Node, at_least: int = 0) -> int:
    """Return where the last line of a value ends; what comments follow it belong to what comes next."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        if isinstance(last, tuple):
            at_least = max(at_least, last[0].end_mark.index)
        node = last[1] if isinstance(last, tuple) else last
    # the mark behind a block scalar, or an empty value, may lie on a later line
    end = max(at_least, len(text[: node.end_mark.index].rstrip()) if node.start_mark.index < node.end_mark.index else 0)
    line_end = text.find("\n", end)
    return len(text) if line_end < 0 else line_end + 1


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _nested(path: KeyPath, value: Json) -> Json:
    for key in reversed(path):
        value = {key: value}
    return value


def _flow(value: Json) -> str:
    """Return a value on one line; JSON is YAML, but words that need no quotes are written without."""
    if isinstance(value, str) and _is_plain(value):
        return value
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))


def _is_plain(text: str) -> bool:
    """Tell whether a text means itself without quotes, wherever a value may stand."""
    if not _PLAIN.fullmatch(text):
        return False
    return bool(yaml.safe_load(text) == text)
