"""Small documents and overlays to test the generator with."""

from __future__ import annotations

from typing import Any

from codegen.overlay import Names, Overlays

Json = dict[str, Any]


def document(schemas: Json | None = None, paths: Json | None = None, *, openapi: str = "3.0.3", **more: Any) -> Json:
    """An OpenAPI document of these components and paths."""
    return {
        "openapi": openapi,
        "info": {"title": "Test", "version": "1.2"},
        "paths": paths if paths is not None else {},
        "components": {"schemas": schemas if schemas is not None else {}},
        **more,
    }


def get(name: str, reply: Json | None = None, *parameters: Json, tag: str = "things", **more: Any) -> Json:
    """A path item with one GET operation whose 200 is JSON of `reply`, or empty."""
    return {"get": operation(name, reply, *parameters, tag=tag, **more)}


def post(name: str, body: Json, reply: Json | None = None, *, tag: str = "things", **more: Any) -> Json:
    """A path item with one POST operation that takes JSON of `body`."""
    return {"post": operation(name, reply, tag=tag, requestBody={"required": True, "content": json(body)}, **more)}


def operation(name: str, reply: Json | None = None, *parameters: Json, tag: str = "things", **more: Any) -> Json:
    """An operation."""
    result: Json = {
        "operationId": name,
        "tags": [tag],
        "responses": {"200": {"description": "", **({"content": json(reply)} if reply is not None else {})}},
        **more,
    }
    return result | ({"parameters": list(parameters)} if parameters else {})


def query(name: str, schema: Json | None = None, *, required: bool = False, **more: Any) -> Json:
    """A query parameter, a text unless told otherwise."""
    return {
        "name": name,
        "in": "query",
        "required": required,
        "schema": {"type": "string"} if schema is None else schema,
        **more,
    }


def json(schema: Json) -> Json:
    """Content of JSON."""
    return {"application/json; charset=utf-8": {"schema": schema}}


def ref(name: str) -> Json:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def thing(**properties: Json) -> Json:
    """An object with these properties, all of them required."""
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def overlays(names: Names | None = None, **more: Any) -> Overlays:
    """Overlays that add nothing but what is given."""
    docs: dict[str, Any] = {"operations": {}, "models": {}, "enums": {}}
    given: dict[str, Any] = {"assumed": {}, "corrections": (), "names": names or Names(), "docs": docs}
    return Overlays(**(given | more))
