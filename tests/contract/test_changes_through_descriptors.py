"""Nothing is made, renamed, removed or given a mode by its path: another user could lead root elsewhere meanwhile."""

from __future__ import annotations

import ast
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


def test_what_is_changed_is_reached_through_an_opened_directory() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
        for path in python_files(*PRODUCT)
        if str(path.relative_to(ROOT)) not in ALLOWED
        for node in ast.walk(ast.parse(path.read_text()))
        if _by_path(node)
    ]
    assert found == []
