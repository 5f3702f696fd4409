"""Nothing is made, renamed, removed or given a mode by its path: another user could lead root elsewhere meanwhile."""

from __future__ import annotations

import ast
import re
from typing import TypeGuard

from tests.contract.checkout import PRODUCT, ROOT, python_files

# of `os`, and the argument that names the opened directory
OF_OS = dict.fromkeys(("mkdir", "unlink", "remove", "rmdir", "chmod", "chown", "mkfifo", "symlink"), "dir_fd")
OF_OS |= dict.fromkeys(("rename", "replace", "link"), "src_dir_fd")
OF_OS |= dict.fromkeys(("makedirs", "removedirs", "renames", "lchown", "truncate"), "")
OF_PATHS = {
    "mkdir", "chmod", "lchmod", "rename", "unlink", "rmdir", "touch", "write_text", "write_bytes", "symlink_to",
    "hardlink_to",
}  # fmt: skip
# flags of `os.open` that change something, and letters of a mode of `open`
CHANGING = re.compile(r"O_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)|_FLAGS")
# opened by path all the same: devices; and the one place that decides which links root follows
OPENED_BY_PATH = {"os.devnull", "_TERMINAL"}
# write into a temporary directory of their own, which has mode 0700 from the beginning
ALLOWED = {"bundler/rpm/signing/gpgv.py", "bundler/kinds/runtime/python_tree.py"}


def _by_path(node: ast.AST) -> TypeGuard[ast.Call]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner, name = ast.unparse(node.func.value), node.func.attr
    if owner in ("os", "shutil"):
        wanted = OF_OS.get(name, "dir_fd" if name == "rmtree" else None)
        return wanted is not None and wanted not in {keyword.arg for keyword in node.keywords}
    # what a class inherits is no path: Click's formatter has a `write_text` too
    return name in OF_PATHS and owner != "super()"


def _opened_to_be_changed(node: ast.AST) -> TypeGuard[ast.Call]:
    """Tell whether a call opens a path to write there; what is called `_FLAGS` may say so elsewhere."""
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func)
    arguments = [ast.unparse(argument) for argument in node.args]
    if called == "os.open":
        by_path = "dir_fd" not in {keyword.arg for keyword in node.keywords} and arguments[0] not in OPENED_BY_PATH
        return by_path and bool(CHANGING.search(arguments[1]))
    if called != "open" and not called.endswith(".open"):
        return False
    modes = arguments[1 if called == "open" else 0 :]
    return bool(modes) and bool(re.fullmatch(r"'[a-z+]*[wax+][a-z+]*'", modes[0]))


def test_what_is_written_is_opened_in_an_opened_directory() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
        for path in python_files(*PRODUCT)
        if str(path.relative_to(ROOT)) not in {*ALLOWED, "bundler/appended_file.py"}
        for node in ast.walk(ast.parse(path.read_text()))
        if _opened_to_be_changed(node)
    ]
    assert found == []


def test_what_is_changed_is_reached_through_an_opened_directory() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
        for path in python_files(*PRODUCT)
        if str(path.relative_to(ROOT)) not in ALLOWED
        for node in ast.walk(ast.parse(path.read_text()))
        if _by_path(node)
    ]
    assert found == []
