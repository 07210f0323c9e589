"""Cuts the operations that tickets need out of the descriptions of Jira's and GitHub's REST APIs.

    python cut.py jira swagger-v3.v3.json > jira.json
    python cut.py github api.github.com.json > github.json

README.md says where the descriptions are from. Kept are `openapi`, `info` and `servers`; of the operations below the id, the
parameters, the request body, and the JSON schemas of the answers 200, 201 and 204; and the components that these refer to.
Prose, examples, tags, security, extensions, headers of answers and all other answers are left out. A property that is named
like one of these stays.
"""

import json
import re
import sys
from pathlib import Path

OPERATIONS = {
    "jira": {
        "/rest/api/3/issue": ["post"],
        "/rest/api/3/issue/{issueIdOrKey}": ["get", "put"],
        "/rest/api/3/issue/{issueIdOrKey}/comment": ["get", "post"],
        "/rest/api/3/issue/{issueIdOrKey}/transitions": ["get", "post"],
        "/rest/api/3/project/{projectIdOrKey}": ["get"],
        "/rest/api/3/search/jql": ["post"],
    },
    "github": {
        "/repos/{owner}/{repo}": ["get"],
        "/repos/{owner}/{repo}/issues": ["get", "post"],
        "/repos/{owner}/{repo}/issues/{issue_number}": ["get", "patch"],
        "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
    },
}
ANSWERS = ["200", "201", "204"]
PROSE = {"description", "summary", "example", "examples", "externalDocs", "tags", "security"}
# Of these the keys are names, and no keywords.
NAMED = {"properties", "patternProperties"}
# These are data, and no schemas.
DATA = {"enum", "const", "default", "required", "mapping"}


def without(fields):
    return {name: value for name, value in fields.items() if name not in PROSE and not name.startswith("x-")}


def schema(whole):
    if isinstance(whole, list):
        return [schema(one) for one in whole]
    if not isinstance(whole, dict):
        return whole
    out = {}
    for name, value in without(whole).items():
        if name in NAMED:
            out[name] = {inner: schema(one) for inner, one in value.items()}
        else:
            out[name] = value if name in DATA else schema(value)
    return out


def content(whole):
    return {kind: {"schema": schema(one["schema"])} for kind, one in whole.items() if "json" in kind}


def parameter(whole):
    return whole if "$ref" in whole else {**without(whole), "schema": schema(whole["schema"])}


def body(whole):
    return whole if "$ref" in whole else {**without(whole), "content": content(whole["content"])}


def answer(whole):
    if "$ref" in whole:
        return whole
    # OpenAPI asks for a description.
    out = {"description": ""}
    kinds = content(whole.get("content", {}))
    return {**out, "content": kinds} if kinds else out


def operation(whole, shared):
    out = {"operationId": whole["operationId"]}
    parameters = [parameter(one) for one in shared + whole.get("parameters", [])]
    if parameters:
        out["parameters"] = parameters
    if "requestBody" in whole:
        out["requestBody"] = body(whole["requestBody"])
    out["responses"] = {status: answer(one) for status, one in whole["responses"].items() if status in ANSWERS}
    return out


COMPONENTS = {"schemas": schema, "parameters": parameter, "requestBodies": body, "responses": answer}


def refers(node):
    return re.findall(r'"#/components/([^/"]+)/([^"]+)"', json.dumps(node))


def cut(whole, operations):
    paths = {}
    for path, methods in operations.items():
        item = whole["paths"][path]
        paths[path] = {method: operation(item[method], item.get("parameters", [])) for method in methods}
    found, left = {}, refers(paths)
    while left:
        section, name = left.pop()
        if (section, name) not in found:
            found[section, name] = COMPONENTS[section](whole["components"][section][name])
            left += refers(found[section, name])
    components = {}
    for section, name in sorted(found):
        components.setdefault(section, {})[name] = found[section, name]
    info = {name: value for name, value in whole["info"].items() if not name.startswith("x-")}
    about = {"openapi": whole["openapi"], "info": info, "servers": whole["servers"]}
    return {**about, "paths": paths, "components": components}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in OPERATIONS:
        sys.exit(__doc__)
    whole = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    print(json.dumps(cut(whole, OPERATIONS[sys.argv[1]]), indent=1))


main()
