#!/usr/bin/env python3
"""Holds documents of --json against docs/schemas.

schemas.py SCHEMAS DOCUMENTS: each line of DOCUMENTS is a command ("cache ls"), a tab, and a document.
Prints what is wrong; exit 1 then.
"""
import json
import pathlib
import sys

import jsonschema

schemas = pathlib.Path(sys.argv[1])
validators = {}
wrong = 0
for line in open(sys.argv[2], encoding="utf-8"):
    command, text = line.rstrip("\n").split("\t", 1)
    document = json.loads(text)
    # Of a command that could not begin.
    name = "error" if set(document) == {"schema_version", "error"} else command.replace(" ", "-")
    if name not in validators:
        schema = json.loads((schemas / f"{name}.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        validators[name] = jsonschema.Draft202012Validator(schema)
    for error in validators[name].iter_errors(document):
        place = "/".join(str(part) for part in error.absolute_path)
        print(f"FAILED: {command}: not as in docs/schemas/{name}.json: at '{place}': {error.message[:300]}")
        wrong += 1
sys.exit(1 if wrong else 0)
