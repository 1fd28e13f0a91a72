"""The AWS provider's own schema, out of the wheel of typed classes that is generated from it; nothing of it is imported.

The Python classes say each argument, whether it is required, its type, what is a nested block and what is computed.
The JavaScript beside them says what Python's types can't: which collections are sets, and which blocks stand alone.
"""

import ast
import re
import tarfile
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What Terraform itself, not the provider, gives to every resource.
_META = {"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners"}
# What the classes have besides the schema.
_OF_THE_CLASSES = {"TF_RESOURCE_TYPE", "fqn", "internal_value"}
_DOCUMENTED = re.compile(r":param (\w+): (?P<block>\w+ block\. )?.*?#(?P<name>\w+) [A-Za-z0-9]+#")
_ENTRY = re.compile(r'^\s+"?(\w+)"?: \{\n\s+value: .*,\n\s+isBlock: (?:true|false),\n\s+type: "(\w+)",', re.MULTILINE)
_KINDS_OF = re.compile(r"^function (\w+)ToHclTerraform\(struct\)|^    (synthesizeHclAttributes)\(\)", re.MULTILINE)
_NESTED = re.compile(r'new (\w+?)(?:List|Map|OutputReference)\(this, "\w+", (true|false)\)')
_SIMPLE = {"str": "string", "Number": "number", "bool": "bool", "StringMap": ["map", "string"], "Any": "dynamic"}


class UnknownTypeError(Exception):
    """The provider has no such resource or data source."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute; its type is written as Terraform's JSON does (`["set", "string"]`)."""

    type: Any
    required: bool = False
    computed: bool = False


@dataclass(frozen=True, slots=True)
class Nested:
    """A nested block: single, list or set; at most one when `single_item`, at least one when required."""

    nesting: str
    block: "Block"
    required: bool = False
    single_item: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """What may stand between the braces."""

    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: dict[str, Nested] = field(default_factory=dict)


class Wheel:
    """The schemas inside the wheel. Reads what it is asked for and no more: it has 1,500 types and 230 MB of source."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)

    def blocks(self, addresses: Collection[str]) -> dict[str, Block]:
        """The schemas of `aws_x`, `data.aws_x`, or of the provider itself (`provider`). Raises UnknownTypeError."""
        modules = {address: address.replace("data.aws_", "data_aws_").removeprefix("aws_") for address in addresses}
        sources = {address: self._source(address, module) for address, module in modules.items()}
        scripts = self._scripts(modules.values())
        return {
            address: _Module(ast.parse(sources[address]), scripts[module]).block()
            for address, module in modules.items()
        }

    def _source(self, address: str, module: str) -> bytes:
        try:
            return self._zip.read(f"cdktf_cdktf_provider_aws/{module}/__init__.py")
        except KeyError:
            raise UnknownTypeError(f"the provider has no {address}") from None

    def _scripts(self, modules: Collection[str]) -> dict[str, str]:
        """The scripts of these modules, in one pass: the archive inside the wheel can only be read from its beginning."""
        wanted = {f"package/lib/{module.replace('_', '-')}/index.js": module for module in modules}
        name = next(name for name in self._zip.namelist() if name.endswith(".jsii.tgz"))
        found = {}
        with self._zip.open(name) as packed, tarfile.open(fileobj=packed, mode="r|gz") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.name in wanted else None
                if file is not None:
                    found[wanted[member.name]] = file.read().decode()
        return found


class _Module:
    """One type's module: its classes, and what its script says of collections."""

    def __init__(self, tree: ast.Module, script: str) -> None:
        self._classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self._kinds = dict(_kinds(script))
        self._sets = {name for name, is_set in _NESTED.findall(script) if is_set == "true"}
        # Read as a list although it is a set, Terraform's own conversion stands in the getter.
        self._set_getters = set(re.findall(r"Fn\.tolist\(this\.get\w+Attribute\('(\w+)'\)\)", script))

    def block(self) -> Block:
        main = next(node for node in self._classes.values() if _is_terraform_element(node))
        # A provider computes nothing.
        outputs = None if ast.unparse(main.bases[0]).endswith("TerraformProvider") else main
        return self._read(main, outputs, "")

    def _read(self, arguments: ast.ClassDef | None, outputs: ast.ClassDef | None, script_name: str) -> Block:
        """A block of these arguments and computed values. The type's own block has no name in the script."""
        skip = set() if script_name else _META
        block = Block()
        kinds = self._kinds.get(script_name, {})
        for name, note, is_block in _arguments(arguments) if arguments is not None else ():
            if name not in skip:
                self._add(block, name, note, kinds.get(name, ""), is_block=is_block)
        for name, note in _properties(outputs) if outputs is not None else ():
            if name not in {*block.attributes, *block.blocks, *skip, *_OF_THE_CLASSES}:
                block.attributes[name] = Attribute(self._output_type(name, note), computed=True)
        return block

    def _add(self, block: Block, name: str, note: ast.expr, kind: str, *, is_block: bool) -> None:
        required, note = _unwrap_optional(note)
        struct, many = self._struct(note)
        if struct is None:
            block.attributes[name] = Attribute(_type(note, is_set=kind == "set"), required=required)
        elif not is_block:
            block.attributes[name] = Attribute(self._object_type(struct, kind, many=many), required=required)
        else:
            nesting = "set" if kind == "set" or struct in self._sets else "list"
            nesting = "single" if kind == "struct" and not many else nesting
            block.blocks[name] = Nested(nesting, self._nested(struct), required=required, single_item=not many)

    def _nested(self, struct: str) -> Block:
        return self._read(self._classes.get(struct), self._classes.get(f"{struct}OutputReference"), struct)

    def _struct(self, note: ast.expr) -> tuple[str | None, bool]:
        """The class of nested values that an annotation speaks of, and whether there may be many."""
        text = ast.unparse(note)
        for name in re.findall(r"\b[A-Z]\w+\b", text):
            if name in self._classes:
                return name, "Sequence" in text or "List[" in text
        return None, False

    def _object_type(self, struct: str, kind: str, *, many: bool) -> Any:
        one = _as_type(self._nested(struct))
        if kind == "map":
            return ["map", one]
        return [kind if kind in {"list", "set"} else "list", one] if many or kind in {"list", "set"} else one

    def _output_type(self, name: str, note: ast.expr) -> Any:
        text = ast.unparse(note).strip("'\"")
        found = re.fullmatch(r"(\w+?)(List|Map|OutputReference)", text)
        if found and text in self._classes:
            one = _as_type(self._nested(found[1]))
            kinds = {"List": ["set" if found[1] in self._sets else "list", one], "Map": ["map", one]}
            return kinds.get(found[2], one)
        return _type(note, is_set=name in self._set_getters)


def _is_terraform_element(node: ast.ClassDef) -> bool:
    kinds = ("TerraformResource", "TerraformDataSource", "TerraformProvider")
    return any(ast.unparse(parent).endswith(kinds) for parent in node.bases)


def _kinds(script: str) -> Iterator[tuple[str, dict[str, str]]]:
    """For each class what its script calls the kind of each argument: simple, list, set, map or struct."""
    parts = re.split(_KINDS_OF, script)
    for at in range(1, len(parts), 3):
        name = parts[at] or ""
        yield name[:1].upper() + name[1:], dict(_ENTRY.findall(parts[at + 2].split("\n}\n")[0]))


def _arguments(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr, bool]]:
    made = next(item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__")
    documented = {found[1]: found for found in _DOCUMENTED.finditer(ast.get_docstring(made) or "")}
    for argument in made.args.kwonlyargs:
        found = documented.get(argument.arg)
        if argument.annotation is not None:
            name = found["name"] if found else argument.arg
            yield name, argument.annotation, bool(found and found["block"])


def _properties(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for item in node.body:
        if not isinstance(item, ast.FunctionDef) or item.returns is None or item.name.endswith("_input"):
            continue
        if any("property" in ast.unparse(mark) for mark in item.decorator_list):
            yield item.name, item.returns


def _unwrap_optional(note: ast.expr) -> tuple[bool, ast.expr]:
    if isinstance(note, ast.Subscript) and ast.unparse(note.value) == "typing.Optional":
        return False, note.slice
    return True, note


def _type(note: ast.expr, *, is_set: bool) -> Any:
    """A type without nested objects, as Terraform's JSON writes it."""
    _, note = _unwrap_optional(note)
    text = ast.unparse(note)
    if isinstance(note, ast.Subscript) and text.startswith("typing.Mapping") and isinstance(note.slice, ast.Tuple):
        return ["map", _type(note.slice.elts[1], is_set=False)]
    if isinstance(note, ast.Subscript) and text.startswith(("typing.Sequence", "typing.List")):
        return ["set" if is_set else "list", _type(note.slice, is_set=False)]
    if text.startswith("typing.Union[") or text.endswith("IResolvable"):
        return "bool" if "bool" in text or "Union" not in text else "dynamic"
    name = text.rsplit(".", 1)[-1]
    kinds = {"NumberMap": ["map", "number"], "BooleanMap": ["map", "bool"], "NumberList": ["list", "number"]}
    return _SIMPLE.get(name, kinds.get(name, "dynamic"))


def _as_type(block: Block) -> Any:
    members = {name: attribute.type for name, attribute in block.attributes.items()}
    for name, nested in block.blocks.items():
        inner = _as_type(nested.block)
        members[name] = inner if nested.nesting == "single" else [nested.nesting, inner]
    return ["object", members]
