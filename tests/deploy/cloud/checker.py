"""What Terraform's sources say, held against their own declarations and the AWS provider's schema: a list of mistakes.

It knows references (variables, locals, modules and their outputs, resources and their attributes), the arguments of module
calls, and for every `aws_*` resource and data source its arguments and nested blocks: unknown, missing, of the wrong kind.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deploy.cloud import hcl
from tests.deploy.cloud.provider_schema import Attribute, Block, Nested

_META = {"count", "for_each", "depends_on", "lifecycle", "provider", "provisioner", "connection"}
_META_OF_CALLS = {"source", "version", "count", "for_each", "depends_on", "providers"}
_MARK = hcl.MARK

_VARIABLE = re.compile(r"(?<![\w.])var\.(\w+)")
_LOCAL = re.compile(r"(?<![\w.])local\.(\w+)")
_MODULE = re.compile(r"(?<![\w.])module\.(\w+)(?:\[[^\]]*\])?(?:\.(\w+))?")
_RESOURCE = re.compile(
    r"(?<![\w.])(?P<kind>data\.|ephemeral\.)?(?P<type>aws_\w+|terraform_data)\.(?P<name>\w+)(?P<path>(?:\[[^\]]*\]|\.\w+)*)"
)
# An expression that is a reference and nothing else: its kind is that of what it refers to.
_WHOLE_VARIABLE = re.compile(r"\$\{var\.(\w+)\}")
_WHOLE_RESOURCE = re.compile(r"\$\{((?:data\.)?aws_\w+\.\w+(?:\[[^\]]*\]|\.\w+)*)\}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

Schemas = Mapping[str, Block]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: where, and what."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def mistakes(module: hcl.Module, schemas: Schemas, find: Callable[[Path], hcl.Module] = hcl.module) -> list[Mistake]:
    """All that is wrong with a module. `find` gives the module in a folder."""
    found = [*_references(module, schemas, find), *_calls(module, find)]
    for kind, blocks in (("", module.resources), ("data.", module.data)):
        for (type_name, name), body in blocks.items():
            schema = schemas.get(f"{kind}{type_name}")
            where = f"{module.name}: {kind}{type_name}.{name}"
            if schema is not None:
                written = {key: value for key, value in body.items() if key not in _META}
                found += [Mistake(where, what) for what in _block(written, schema, module, schemas)]
            elif type_name.startswith("aws_"):
                found.append(Mistake(where, "the provider has no such type"))
    return found


# References.


def _references(module: hcl.Module, schemas: Schemas, find: Callable[[Path], hcl.Module]) -> Iterator[Mistake]:
    for where, text in _expressions(module):
        for name in _VARIABLE.findall(text):
            if name not in module.variables:
                yield Mistake(where, f"there is no variable {name}")
        for name in _LOCAL.findall(text):
            if name not in module.locals:
                yield Mistake(where, f"there is no local {name}")
        for call, output in _MODULE.findall(text):
            yield from (Mistake(where, what) for what in _output(module, call, output, find))
        for reference in _RESOURCE.finditer(text):
            yield from (Mistake(where, what) for what in _attribute(module, reference, schemas))


def _expressions(module: hcl.Module) -> Iterator[tuple[str, str]]:
    """Every string with an expression, and where it stands."""
    parts: list[tuple[str, Any]] = [
        *((f"variable {name}", body.get("validation")) for name, body in module.variables.items()),
        *((f"output {name}", body) for name, body in module.outputs.items()),
        *((f"local {name}", body) for name, body in module.locals.items()),
        *((f"module {name}", body) for name, body in module.calls.items()),
        *((f"provider {name}", body) for name, body in module.providers.items()),
        *((f"{kind}.{name}", body) for (kind, name), body in {**module.resources, **module.ephemeral}.items()),
        *((f"data.{kind}.{name}", body) for (kind, name), body in module.data.items()),
    ]
    for where, body in parts:
        for text in hcl.strings(body):
            if "${" in text or where.startswith(("resource", "module")):
                yield f"{module.name}: {where}", text


def _output(module: hcl.Module, call: str, output: str, find: Callable[[Path], hcl.Module]) -> Iterator[str]:
    if call not in module.calls:
        yield f"there is no module {call}"
    elif output and output not in find(_source(module, module.calls[call])).outputs:
        yield f"the module {call} has no output {output}"


def _attribute(module: hcl.Module, reference: re.Match[str], schemas: Schemas) -> Iterator[str]:
    kind, type_name, name = reference["kind"] or "", reference["type"], reference["name"]
    declared = {"": module.resources, "data.": module.data, "ephemeral.": module.ephemeral}[kind]
    if (type_name, name) not in declared:
        yield f"there is no {kind}{type_name}.{name}"
        return
    schema = schemas.get(f"{kind.replace('ephemeral.', 'data.')}{type_name}")
    if schema is not None:
        wrong = _follow(schema, reference["path"])
        if isinstance(wrong, str):
            yield f"{kind}{type_name} has no {wrong}"


def _follow(schema: Block, path: str) -> str | Any:
    """The type at the end of `[0].vpc_config[0].subnet_ids`; the name that is not there, as `str`; None when it isn't known."""
    at: Block | None = schema
    found: Any = None
    for name in re.findall(r"\.(\w+)", re.sub(r"\[[^\]]*\]", "", path)):
        if at is None:
            return None
        if name in at.attributes:
            found, at = _Type(at.attributes[name].type), None
        elif name in at.blocks:
            found, at = None, at.blocks[name].block
        else:
            return name
    return found


@dataclass(frozen=True, slots=True)
class _Type:
    """A type as Terraform's JSON writes it, told apart from a name."""

    type: Any


# Module calls.


def _calls(module: hcl.Module, find: Callable[[Path], hcl.Module]) -> Iterator[Mistake]:
    for name, call in module.calls.items():
        where = f"{module.name}: module {name}"
        folder = _source(module, call)
        if not folder.is_dir():
            yield Mistake(where, f"there is no module in {hcl.plain(call['source'])}")
            continue
        declared = find(folder).variables
        given = {key for key in call if key != _MARK} - _META_OF_CALLS
        yield from (Mistake(where, f"the module has no variable {key}") for key in sorted(given - set(declared)))
        needed = {key for key, variable in declared.items() if "default" not in variable}
        yield from (Mistake(where, f"the variable {key} is missing") for key in sorted(needed - given))
        for key in sorted(given & set(declared)):
            if not _fits(call[key], _declared(declared[key]), module, {}):
                yield Mistake(where, f"the variable {key} is not a {_declared(declared[key])}")


def _source(module: hcl.Module, call: Mapping[str, Any]) -> Path:
    return (module.folder / hcl.plain(call["source"])).resolve()


# Resources.


def _block(body: Mapping[str, Any], schema: Block, module: hcl.Module, schemas: Schemas) -> Iterator[str]:
    given = {key: value for key, value in body.items() if key not in {"dynamic", _MARK}}
    for block in body.get("dynamic", []):
        for name, dynamic in block.items():
            if name != _MARK:
                given[hcl.plain(name)] = [{**content, _MARK: True} for content in dynamic["content"]]
    for name, value in given.items():
        if name in schema.blocks:
            yield from _nested(name, value, schema.blocks[name], module, schemas)
        elif name in schema.attributes:
            yield from _argument(name, value, schema.attributes[name], module, schemas)
        else:
            yield f"there is no argument or block {name}"
    required = {name for name, attribute in schema.attributes.items() if attribute.required}
    required |= {name for name, nested in schema.blocks.items() if nested.required}
    yield from (f"{name} is missing" for name in sorted(required - set(given)))


def _nested(name: str, value: Any, nested: Nested, module: hcl.Module, schemas: Schemas) -> Iterator[str]:
    if not isinstance(value, list) or not all(isinstance(item, dict) and _MARK in item for item in value):
        yield f"{name} is a block, not an argument"
        return
    if nested.single_item and len(value) > 1:
        yield f"there is one {name} at most"
    for item in value:
        yield from (f"{name}: {what}" for what in _block(item, nested.block, module, schemas))


def _argument(name: str, value: Any, attribute: Attribute, module: hcl.Module, schemas: Schemas) -> Iterator[str]:
    if isinstance(value, list) and any(isinstance(item, dict) and _MARK in item for item in value):
        yield f"{name} is an argument, not a block"
    elif attribute.computed:
        yield f"{name} is computed: it can't be set"
    elif not _fits(value, attribute.type, module, schemas):
        yield f"{name} is not a {_said(attribute.type)}"


def _fits(value: Any, wanted: Any, module: hcl.Module, schemas: Schemas) -> bool:
    """Whether a value may be of a type; what can't be told from the sources may be of any."""
    kind = wanted if isinstance(wanted, str) else wanted[0]
    if kind in {"any", "dynamic"} or value is None or value == "null":
        return True
    if isinstance(value, str) and "${" in value and not value.startswith('"'):
        known = _known(value, module, schemas)
        return known is None or _alike(known, wanted)
    if isinstance(value, list):
        return kind in {"list", "set", "tuple"} and all(_fits(item, wanted[1], module, schemas) for item in value)
    if isinstance(value, dict):
        return kind in {"map", "object"} and _members_fit(value, wanted, module, schemas)
    return _primitive(value, kind)


def _members_fit(value: Mapping[str, Any], wanted: Any, module: hcl.Module, schemas: Schemas) -> bool:
    if wanted[0] == "map":
        return all(_fits(item, wanted[1], module, schemas) for item in value.values())
    return True


def _primitive(value: Any, kind: str) -> bool:
    """Terraform turns numbers and booleans into text, and text into them where it reads as one."""
    if kind == "string":
        return isinstance(value, str | int | float | bool)
    text = str(value).lower() if isinstance(value, bool) else hcl.plain(str(value))
    if "${" in text:
        return kind in {"number", "bool"}
    if kind == "number":
        return _NUMBER.fullmatch(text) is not None
    return kind == "bool" and text in {"true", "false"}


def _known(value: str, module: hcl.Module, schemas: Schemas) -> Any:
    if found := _WHOLE_VARIABLE.fullmatch(value):
        variable = module.variables.get(found[1])
        return _declared(variable) if variable else None
    if found := _WHOLE_RESOURCE.fullmatch(value):
        reference = _RESOURCE.fullmatch(found[1])
        schema = schemas.get(f"{reference['kind'] or ''}{reference['type']}") if reference else None
        end = _follow(schema, reference["path"]) if schema and reference else None
        return end.type if isinstance(end, _Type) else None
    return None


def _alike(known: Any, wanted: Any) -> bool:
    primitives = ("string", "number", "bool")
    shapes = {"list": "many", "set": "many", "tuple": "many", "map": "named", "object": "named"}
    if isinstance(known, str) or isinstance(wanted, str):
        return known == wanted or "any" in (known, wanted) or (known in primitives and wanted == "string")
    return shapes[known[0]] == shapes[wanted[0]]


def _declared(variable: Mapping[str, Any]) -> Any:
    """A variable's type constraint, as Terraform's JSON writes types; members of objects are left to Terraform."""
    text = str(variable.get("type", "any")).removeprefix("${").removesuffix("}").strip()
    found = re.match(r"(list|set|map|object|tuple)\(", text)
    if found is None:
        return text
    inner = text[found.end() :].removesuffix(")")
    return [found[1], inner if inner in {"string", "number", "bool"} else "any"]


def _said(kind: Any) -> str:
    return kind if isinstance(kind, str) else kind[0]
